package sched

import "github.com/genode-operator/genode-operator/internal/sim"

func init() {
	Register(Policy{"PD2", Global, "proportionately fair, quantum 0.1 ms or less", fair(NewPD2, quantumPD2)})
	Register(Policy{"ER-PD2", Global, "PD2 with early release", fair(NewERPD2, quantumPD2)}, "ER_PD2")
	Register(Policy{"EPDF", Global, "earliest pseudo-deadline first, quantum 1 ms or less", fair(NewEPDF, quantumEPDF)})
	Register(Policy{"RUN", Global, "reduction to uniprocessor", Plain(NewRUN)})
	Register(Policy{"WC-RUN", Global, "RUN without idle processors", Plain(NewWCRUN)}, "WC_RUN")
	Register(Policy{"EKG", SemiPartitioned, "tasks split between neighbours", func(o *Options) sim.Scheduler {
		return NewEKG(o.Count("group", 0, "processors between which tasks are split; 0: all"))
	}})
	Register(Policy{"EDHS", SemiPartitioned, "EDF, split tasks first", Plain(NewEDHS)})
	Register(Policy{"U-EDF", Global, "unfair but optimal EDF", Plain(NewUEDF)}, "U_EDF")
	Register(Policy{"WC-U-EDF", Global, "U-EDF without idle processors", Plain(NewWCUEDF)}, "WC_U_EDF")
	Register(Policy{"LLREF", Global, "largest local remaining execution first", Plain(NewLLREF)}, "LLREF2")
	Register(Policy{"LRE-TL", Global, "local remaining execution in planes", Plain(NewLRETL)}, "LRE_TL")
	Register(Policy{"NVNLF", Global, "planes without idle processors", Plain(NewNVNLF)})
	Register(Policy{"DP-WRAP", Global, "wrap around between deadlines", Plain(NewDPWrap)}, "DP_WRAP")
	Register(Policy{"BF", Global, "boundary fair", Plain(NewBF)})
}

// fair makes schedulers with a quantum.
func fair(make func(sim.Time) sim.Scheduler, standard sim.Time) func(*Options) sim.Scheduler {
	return func(o *Options) sim.Scheduler {
		return make(o.Duration("quantum", standard, "for which processors are given away; shorter if the tasks need it"))
	}
}
