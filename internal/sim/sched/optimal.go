package sched

func init() {
	Register(Policy{"LLREF", Global, "largest local remaining execution first", NewLLREF}, "LLREF2")
	Register(Policy{"LRE-TL", Global, "local remaining execution in planes", NewLRETL}, "LRE_TL")
	Register(Policy{"NVNLF", Global, "planes without idle processors", NewNVNLF})
	Register(Policy{"DP-WRAP", Global, "wrap around between deadlines", NewDPWrap}, "DP_WRAP")
	Register(Policy{"BF", Global, "boundary fair", NewBF})
}
