package agentapi

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Limits of a shortened Diagnosis.
const (
	shortLines     = 8   // newest lines of the console
	shortLineBytes = 160 // of each line, and of each error
	shortEchoes    = 8   // newest echoes
	shortErrors    = 4
)

// Program counters in the register dumps of QEMU's x86, ARM and RISC-V machines. On 32-bit ARM it is R15,
// which on x86 is a register like others, and is printed before RIP.
var (
	programCounter    = regexp.MustCompile(`(?m)(?:\b(?:RIP|EIP|PC)=|^\s*pc\s+)([0-9a-fA-F]{8,16})\b`)
	programCounterR15 = regexp.MustCompile(`\bR15=([0-9a-fA-F]{8})\b`)
)

// findProgramCounter returns where the digits of the first program counter begin and end; nil: nowhere.
func findProgramCounter(dump string) []int {
	for _, pattern := range []*regexp.Regexp{programCounter, programCounterR15} {
		if at := pattern.FindStringSubmatchIndex(dump); at != nil {
			return at[2:4]
		}
	}
	return nil
}

// ProgramCounter is the first CPU's program counter in Registers, in hex digits as QEMU printed it; empty
// when there is none.
func (d Diagnosis) ProgramCounter() string {
	at := findProgramCounter(d.Registers)
	if at == nil {
		return ""
	}
	return d.Registers[at[0]:at[1]]
}

// Short returns d without what only a person who looks at this guest needs: the newest lines of the console
// cut to a width, the newest echoes, and of the registers the line that holds the program counter.
func (d Diagnosis) Short() Diagnosis {
	d.Registers = shortRegisters(d.Registers)
	d.Console = shortened(newest(d.Console, shortLines))
	d.Errors = shortened(newest(d.Errors, shortErrors))
	d.Echoes = append([]Echo(nil), newest(d.Echoes, shortEchoes)...)
	return d
}

func shortRegisters(dump string) string {
	at := findProgramCounter(dump)
	if at == nil {
		return ""
	}
	begin := strings.LastIndexByte(dump[:at[0]], '\n') + 1
	line, _, _ := strings.Cut(dump[begin:], "\n")
	return strings.TrimRight(line, "\r")
}

func newest[T any](all []T, n int) []T { return all[max(0, len(all)-n):] }

func shortened(lines []string) []string {
	var out []string
	for _, line := range lines {
		out = append(out, cut(line, shortLineBytes))
	}
	return out
}

// cut returns at most n bytes of s and leaves no half character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
