# The two commands are `make demo` and `make test`; both do all of their own set-up on a fresh Debian 12, as root,
# with only Go installed.

GO ?= go
LINT_VERSION = v2.15.0
LINT = $(CURDIR)/.cache/golangci-lint-$(LINT_VERSION)
FUZZTIME ?= 30s
# Integration tests that run at once. Each waits for its servers most of the time: three keep two processors busy.
PARALLEL ?= 3
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: build packages demo test unit integration lint fuzz bench load crash clean

build: ## the program
	$(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o gangway ./cmd/gangway

packages: ## the Debian packages that the demo and the tests run
	sh integration/packages.sh

demo: packages build ## a conversation over every transport, on real servers; ONCE=1 ends after it
	./gangway demo $(if $(ONCE),--once)

test: packages unit integration ## everything

unit: ## what needs no server
	$(GO) vet ./...
	$(GO) test -race -vet=off ./...

integration: build ## real servers, end to end, and the crash test
	$(GO) test -race -tags integration -parallel $(PARALLEL) -timeout 20m -json ./integration/... | $(GO) run ./integration/durations
	@cat results/crash.txt

lint: $(LINT)
	test -z "$$(gofmt -l $$(git ls-files '*.go'))"
	$(LINT) run ./...

$(LINT):
	mkdir -p $(@D)
	GOBIN=$(@D) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv $(@D)/golangci-lint $@

fuzz: ## every fuzz target for FUZZTIME
	sh integration/fuzz.sh $(FUZZTIME)

bench: ## Go benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

load: ## figures beside peers: the link, the queue, idle IRC sessions, biboumi, taking and reading mail
	$(GO) run ./integration/load link
	$(GO) run ./integration/load queue
	$(GO) run ./integration/load idle
	$(GO) run ./integration/load irc
	$(GO) run ./integration/load irc -rejoin
	$(GO) run ./integration/load mail
	$(GO) run ./integration/load render

crash: packages build ## the long crash test: 1,000 kills
	$(GO) test -tags integration -timeout 4h -run TestCrash -v ./integration -kills 1000 -messages 100000

clean:
	rm -rf gangway .cache results
