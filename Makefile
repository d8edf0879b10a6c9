# genode-operator: `make help` lists every target.
#
# What a target needs it installs or builds itself: Debian packages with apt (hack/deps.sh), Go tools from
# the module proxy. Everything that is made lies under .cache/ and bin/, which git ignores.
# Paths are relative throughout, so the folder's own path may contain spaces.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules
# The targets share two CPU cores and one build cache; side by side they would only disturb each other.
.NOTPARALLEL:

# sudo drops /usr/local/go/bin from PATH; appended here it is found again and shadows nothing.
export PATH := $(PATH):/usr/local/go/bin:/usr/lib/go/bin

# One set of build flags for everything: with another one each dependency would be compiled twice.
# Version control stamps are off because git refuses to read a tree of another user (sudo make).
export CGO_ENABLED := 0
export GOFLAGS := -trimpath -buildvcs=false

CACHE := .cache
TOOLBIN := $(CACHE)/bin

include hack/make/tools.mk hack/make/generate.mk hack/make/lint.mk hack/make/build.mk hack/make/test.mk

##@ Start here

.PHONY: help
help: ## List every target.
	@awk -f hack/make/help.awk $(MAKEFILE_LIST)

.PHONY: demo
demo: check-go deps-qemu build assets guest ## Show the whole thing on this machine: freeze a guest, see it recover, see the campaign finish.
	@go build -o $(TOOLBIN)/demo ./test/demo
	@exec $(TOOLBIN)/demo

.PHONY: clean
clean: ## Remove what was built. The caches of Go itself stay.
	rm -rf $(CACHE) bin dist
