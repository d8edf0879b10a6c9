##@ Generated files

.PHONY: generate
generate: $(CONTROLLER_GEN) ## Generate the deep copies of the API types.
	@hack/generate.sh code .

.PHONY: manifests
manifests: $(CONTROLLER_GEN) ## Generate the CRDs and the manager's role from the markers in the code.
	@hack/generate.sh manifests .

.PHONY: proto
proto: $(PROTOGEN) ## Generate the Go code of the session gateway's .proto files.
	@hack/generate.sh proto .

.PHONY: verify
verify: check-go $(CONTROLLER_GEN) $(KUSTOMIZE) $(PROTOGEN) ## Check that generated files, go.mod files and kustomizations are in order.
	@hack/verify.sh

.PHONY: dist
dist: $(KUSTOMIZE) manifests ## Write dist/install.yaml: everything of config/default in one file.
	@mkdir -p dist
	@$(KUSTOMIZE) build config/default > dist/install.yaml
	@echo "dist/install.yaml: $$(grep -c '^kind:' dist/install.yaml) objects"
