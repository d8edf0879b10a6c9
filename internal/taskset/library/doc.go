// Package library holds task-sets and blocks by name: those that taskgen came with, and a few more. It is
// data, not code, and pure.
//
//	tasksets/GROUP/NAME.yaml   the TaskSet GROUP.NAME, for example example.Hey0 or nextgen.pi.Variants10
//	blocks/MODULE.yaml         the blocks MODULE.NAME, for example pi.Value
//
// A file below tasksets is a TaskSet as one would apply it, without spec.targets; its annotation
// genode-operator.io/description says in a line what it is.
//
// A file below blocks maps each name to
//
//	description:  one line
//	argument:     what the argument means; absent: the block has none
//	alternatives: blocks as in spec.blocks[].alternatives
//
// Most blocks have one alternative. One with several is a list: where it is used, it makes as many tasks.
// A block may use other ones. A text that is nothing but $argument stands for the number that the user
// gives, and $argument-1 for one less; both may stand wherever a number may. There is no other mechanism.
package library
