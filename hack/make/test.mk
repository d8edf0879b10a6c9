##@ Tests

GUEST_DIR := $(CACHE)/guest
TASKS_DIR := $(CACHE)/tasks
IMAGES_DIR := $(CACHE)/images

# Tests that boot the reference guest find it here; without these they skip themselves, and the summary
# names them. The API server's programs are found by the tests themselves (or by KUBEBUILDER_ASSETS).
GUEST_ENV = REFGUEST_IMAGE="$(CURDIR)/$(GUEST_DIR)" REFGUEST_TASKS="$(CURDIR)/$(TASKS_DIR)"
TESTSUM := $(TOOLBIN)/testsum
TEST_RECORD := $(CACHE)/test/record.jsonl
TEST_NAME = $@
TEST_FLAGS := -race -timeout 20m
# The race detector needs cgo.
RUN_TESTS = CGO_ENABLED=1 $(TESTSUM) run -record $(TEST_RECORD) -name $(TEST_NAME) -- $(TEST_FLAGS)

.PHONY: test
test: check-go deps-race deps-boards deps-postgres ## Run everything that must be green before a change lands.
	@hack/test.sh

.PHONY: unit
unit: check-go deps-race deps-postgres testsum ## Run the tests that need neither an API server nor a guest.
	@$(RUN_TESTS) $$(hack/packages.sh unit)

.PHONY: api-test
api-test: deps-race deps-postgres assets testsum ## Run the tests that use a real API server.
	@$(RUN_TESTS) $$(hack/packages.sh api)

.PHONY: qemu-test
qemu-test: deps-race deps-boards guest testsum ## Run the tests that boot real guests, one package at a time.
	@$(GUEST_ENV) $(RUN_TESTS) -p 1 $$(hack/packages.sh qemu)

.PHONY: fuzz-smoke
fuzz-smoke: check-go testsum ## Run every fuzz target for some seconds (FUZZTIME, default 5s).
	@$(TESTSUM) fuzz -record $(TEST_RECORD) -time $(or $(FUZZTIME),5s)

.PHONY: e2e
e2e: deps-race deps-qemu deps-node deps-postgres build assets images testsum ## Run the path of the demo as a test, and the product on a real kubelet.
	@$(GUEST_ENV) NODE_IMAGES="$(CURDIR)/$(IMAGES_DIR)" $(RUN_TESTS) -p 1 $$(hack/packages.sh e2e)

.PHONY: images
images: guest ## Make the images of manager and runner as archives, from this machine's QEMU, for tests.
	@hack/images.sh $(IMAGES_DIR)

.PHONY: chaos
chaos: deps-race deps-qemu build assets guest ## Let everything go wrong, CHAOS_FAULTS times (default 200: an hour), in the order of CHAOS_SEED.
	@$(GUEST_ENV) CHAOS_FAULTS=$(or $(CHAOS_FAULTS),200) go test -v -count 1 -timeout 6h ./test/chaos

.PHONY: bench
bench: deps-qemu build assets guest ## Measure detection, outage, false alarms, throughput and the agent's footprint.
	@$(GUEST_ENV) go run ./test/bench

.PHONY: testsum
testsum:
	@mkdir -p $(TOOLBIN)
	@go build -o $(TESTSUM) ./hack/testsum
