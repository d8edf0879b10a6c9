.PHONY: build
build: check-go ## Build every program into bin/.
	@mkdir -p bin
	@go build -o bin/ ./cmd/...
	@ln -sf genodectl bin/kubectl-genode # kubectl finds it as a plugin under this name

.PHONY: image
image: guest ## Build the container images of manager and target runner (needs docker or podman, and a registry with Debian).
	@hack/image.sh
