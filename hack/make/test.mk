##@ Tests

GUEST_DIR := $(CACHE)/guest
TASKS_DIR := $(CACHE)/tasks

# With these, tests that need a real API server or a real QEMU guest run; without them they skip themselves
# and the summary names them.
ASSETS_ENV = KUBEBUILDER_ASSETS="$(CURDIR)/$(CACHE)/assets"
GUEST_ENV = REFGUEST_IMAGE="$(CURDIR)/$(GUEST_DIR)" REFGUEST_TASKS="$(CURDIR)/$(TASKS_DIR)"
# The race detector needs cgo.
RACE_ENV = CGO_ENABLED=1
TESTSUM = $(TOOLBIN)/testsum
TEST_RECORD := $(CACHE)/test/record.jsonl
RUN_TESTS = $(RACE_ENV) $(TESTSUM) run -record $(TEST_RECORD)
TEST_FLAGS := -race -timeout 15m

.PHONY: test
test: check-go deps-race deps-boards ## Run everything that must be green before a change lands.
	@hack/test.sh

.PHONY: unit
unit: check-go deps-race testsum ## Run the Go tests; those that need an API server or a guest skip themselves.
	@env -u KUBEBUILDER_ASSETS -u REFGUEST_IMAGE -u REFGUEST_TASKS $(RUN_TESTS) $(TEST_FLAGS) ./...

.PHONY: api-test
api-test: deps-race assets testsum ## Run the tests that use a real API server.
	@$(ASSETS_ENV) $(RUN_TESTS) $(TEST_FLAGS) $$(hack/packages.sh api)

.PHONY: qemu-test
qemu-test: deps-race deps-boards guest testsum ## Run the tests that boot real guests, one package at a time.
	@$(ASSETS_ENV) $(GUEST_ENV) $(RUN_TESTS) $(TEST_FLAGS) -p 1 $$(hack/packages.sh qemu)

.PHONY: fuzz-smoke
fuzz-smoke: check-go testsum ## Run every fuzz target for some seconds.
	@$(TESTSUM) fuzz -record $(TEST_RECORD) -time $(or $(FUZZTIME),5s)

.PHONY: e2e
e2e: deps-race deps-qemu build assets guest testsum ## Run the path of the demo as a test, with assertions.
	@$(ASSETS_ENV) $(GUEST_ENV) $(RUN_TESTS) $(TEST_FLAGS) -p 1 ./test/...

.PHONY: bench
bench: deps-qemu build assets guest ## Measure detection, outage, false alarms, throughput and the agent's footprint.
	@$(ASSETS_ENV) $(GUEST_ENV) go run ./test/bench

.PHONY: testsum
testsum:
	@mkdir -p $(TOOLBIN)
	@go build -o $(TESTSUM) ./hack/testsum
