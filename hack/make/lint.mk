##@ Code

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the Go code (gofmt, goimports).
	@$(GOLANGCI_LINT) fmt ./...

.PHONY: fmt-check
fmt-check: check-go
	@hack/fmt-check.sh

.PHONY: lint
lint: check-go $(GOLANGCI_LINT) ## Run the linters, the import rules of the floors, and the limits on file length and exemptions.
	@$(GOLANGCI_LINT) config verify
	@$(GOLANGCI_LINT) run ./...
	@hack/lint-files.sh
