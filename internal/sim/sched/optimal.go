package sched

import "github.com/genode-operator/genode-operator/internal/sim"

func init() {
	Register(Policy{"PD2", Global, "proportionately fair, quantum 0.1 ms or less", func() sim.Scheduler { return NewPD2(quantumPD2) }})
	Register(Policy{"ER-PD2", Global, "PD2 with early release", func() sim.Scheduler { return NewERPD2(quantumPD2) }}, "ER_PD2")
	Register(Policy{"EPDF", Global, "earliest pseudo-deadline first, quantum 1 ms or less", func() sim.Scheduler { return NewEPDF(quantumEPDF) }})
	Register(Policy{"RUN", Global, "reduction to uniprocessor", NewRUN})
	Register(Policy{"WC-RUN", Global, "RUN without idle processors", NewWCRUN}, "WC_RUN")
	Register(Policy{"EKG", SemiPartitioned, "tasks split between neighbours", NewEKG})
	Register(Policy{"EDHS", SemiPartitioned, "EDF, split tasks first", NewEDHS})
	Register(Policy{"U-EDF", Global, "unfair but optimal EDF", NewUEDF}, "U_EDF")
	Register(Policy{"WC-U-EDF", Global, "U-EDF without idle processors", NewWCUEDF}, "WC_U_EDF")
	Register(Policy{"LLREF", Global, "largest local remaining execution first", NewLLREF}, "LLREF2")
	Register(Policy{"LRE-TL", Global, "local remaining execution in planes", NewLRETL}, "LRE_TL")
	Register(Policy{"NVNLF", Global, "planes without idle processors", NewNVNLF})
	Register(Policy{"DP-WRAP", Global, "wrap around between deadlines", NewDPWrap}, "DP_WRAP")
	Register(Policy{"BF", Global, "boundary fair", NewBF})
}
