##@ Tools and prerequisites

# Each tool is a program of a nested module, so that its dependencies stay out of the operator's go.mod.
CONTROLLER_GEN := $(TOOLBIN)/controller-gen
KUSTOMIZE := $(TOOLBIN)/kustomize
GOLANGCI_LINT := $(TOOLBIN)/golangci-lint
PROTOGEN := $(TOOLBIN)/protogen $(TOOLBIN)/protoc-gen-go $(TOOLBIN)/protoc-gen-go-grpc

# Tools are rebuilt when the Go version changes: golangci-lint must not be older than the Go it checks.
GO_STAMP := $(CACHE)/go-version

.PHONY: tools
tools: $(CONTROLLER_GEN) $(KUSTOMIZE) $(PROTOGEN) $(GOLANGCI_LINT) ## Build controller-gen, kustomize, protogen and golangci-lint (first time: some minutes).

.PHONY: deps
deps: ## Install every Debian package that any target needs (asks sudo unless root).
	@hack/deps.sh git race qemu qemu-boards node postgres

.PHONY: assets
assets: check-go ## Build the control plane for tests and demo: etcd, kube-apiserver and kubectl (first time: some minutes).
	@go run ./cmd/devcluster assets

.PHONY: guest
guest: check-go deps-race ## Build the reference guest (kernel and initramfs) and its task binaries.
	@hack/guest.sh $(GUEST_DIR) $(TASKS_DIR)

.PHONY: check-go
check-go:
	@hack/check-go.sh $(GO_STAMP)

.PHONY: deps-race deps-qemu deps-boards deps-node deps-postgres
deps-race:
	@hack/deps.sh race
deps-qemu:
	@hack/deps.sh qemu
deps-boards:
	@hack/deps.sh qemu qemu-boards
deps-node:
	@hack/deps.sh node
deps-postgres:
	@hack/deps.sh postgres

$(GO_STAMP): check-go

$(CONTROLLER_GEN): hack/tools/go.mod hack/tools/go.sum $(GO_STAMP)
	@echo "Building controller-gen"
	@cd hack/tools && go build -o ../../$@ sigs.k8s.io/controller-tools/cmd/controller-gen

$(KUSTOMIZE): hack/tools/go.mod hack/tools/go.sum $(GO_STAMP)
	@echo "Building kustomize"
	@cd hack/tools && go build -o ../../$@ sigs.k8s.io/kustomize/kustomize/v5

# One rule for three programs, which are built together.
$(PROTOGEN) &: hack/protogen/go.mod hack/protogen/go.sum hack/protogen/main.go $(GO_STAMP)
	@cd hack/protogen && go build -o ../../$(TOOLBIN)/ . google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc

$(GOLANGCI_LINT): hack/lint/go.mod hack/lint/go.sum $(wildcard hack/lint/golangci-lint/*.go) $(GO_STAMP)
	@echo "Building golangci-lint with kube-api-linter (first time: some minutes)"
	@cd hack/lint && go build -ldflags "-s -w" -o ../../$@ ./golangci-lint
