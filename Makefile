# The everyday commands. `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE_BIN := $(shell command -v npm >/dev/null 2>&1 && dirname "$$(command -v npm)")
STAMPS := .stamps
CONTACTS ?= 5000
SCALE ?= 1
export SCALE

.DEFAULT_GOAL := help
.PHONY: help run test check lint types format messages screenshots lock clean \
	bench-import bench-send bench-render bench-dispatch bench-tracking bench-intake bench-identity bench-resolve \
	bench-contacts bench-timeline bench-segments bench-segments-growth bench-history bench-membership bench-standing \
	bench-population bench-count bench-insight

help: ## List the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 24

run: $(STAMPS)/run $(STAMPS)/front $(STAMPS)/words ## Set everything up and start the product with demo data (CONTACTS=5000)
	@exec $(BIN)/hongyan up --demo --demo-contacts $(CONTACTS)

test: $(STAMPS)/dev $(STAMPS)/front $(STAMPS)/words $(STAMPS)/system ## Set everything up and run the whole suite
	PATH="$(CURDIR)/$(STAMPS)/node/bin:$$PATH" npm run check --silent
	PATH="$(CURDIR)/$(STAMPS)/node/bin:$$PATH" npm test --silent
	$(BIN)/python -m tools.suite

lint: $(STAMPS)/dev ## Formatters, linters, import contract, complete languages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/djlint --lint --quiet hongyan
	$(BIN)/lint-imports
	$(BIN)/python -m tools.words check

types: $(STAMPS)/dev ## mypy strict
	$(BIN)/mypy

check: lint types test ## Everything CI runs

format: $(STAMPS)/dev ## Format Python
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --quiet .

messages: $(STAMPS)/dev ## Collect the words of all rooms into their catalogues
	$(BIN)/python -m tools.words collect

screenshots: $(STAMPS)/dev $(STAMPS)/front $(STAMPS)/words $(STAMPS)/system ## Make the README's pictures again
	$(BIN)/python -m tools.screenshots

bench-import: $(STAMPS)/dev $(STAMPS)/words ## Import 1,000,000 rows (SCALE=0.01 for a quick look)
	@$(BIN)/python -m bench.import_
bench-send: $(STAMPS)/dev $(STAMPS)/words $(STAMPS)/system ## Send from outbox to a real SMTP sink, against smtp-source
	@$(BIN)/python -m bench.send
bench-render: $(STAMPS)/dev $(STAMPS)/words ## Render personal mails, against Jinja2
	@$(BIN)/python -m bench.render
bench-dispatch: $(STAMPS)/dev $(STAMPS)/words ## Audience to outbox, against a plain INSERT … SELECT
	@$(BIN)/python -m bench.dispatch
bench-tracking: $(STAMPS)/dev $(STAMPS)/words ## Opens and clicks, against a bare ASGI answer
	@$(BIN)/python -m bench.tracking
bench-intake: $(STAMPS)/dev $(STAMPS)/words ## Events acknowledged a second, against bare COPY
	@$(BIN)/python -m bench.intake
bench-identity: $(STAMPS)/dev $(STAMPS)/words ## Find the people in 1,000,000 records, against Splink alone
	@$(BIN)/python -m bench.identity
bench-resolve: $(STAMPS)/dev $(STAMPS)/words ## Resolve one new record among a million contacts
	@$(BIN)/python -m bench.resolve
bench-contacts: $(STAMPS)/dev $(STAMPS)/words ## The contact list over a million people
	@$(BIN)/python -m bench.contacts_list
bench-timeline: $(STAMPS)/dev $(STAMPS)/words ## The page of a person with 100,000 entries
	@$(BIN)/python -m bench.timeline
bench-segments: $(STAMPS)/dev $(STAMPS)/words ## Segments of a million people over 50,000,000 events, against rows in DuckDB
	@$(BIN)/python -m bench.segments
bench-segments-growth: $(STAMPS)/dev $(STAMPS)/words ## The same over 5, 50 and 200 million events (DATA=/folder keeps them; 25 GB of disk)
	@EVENTS=$${EVENTS:-5000000,50000000,200000000} $(BIN)/python -m bench.segments
bench-history: $(STAMPS)/dev $(STAMPS)/words ## Build the columnar history of 50,000,000 events, against a plain COPY
	@$(BIN)/python -m bench.history
bench-membership: $(STAMPS)/dev $(STAMPS)/words ## Seconds from an event to its memberships, 200 audiences over a million people
	@$(BIN)/python -m bench.membership
bench-standing: $(STAMPS)/dev $(STAMPS)/words ## RFM, stages, rule tags and the MECE check over a million people
	@$(BIN)/python -m bench.standing
bench-insight: $(STAMPS)/dev $(STAMPS)/words ## Composition, worth and suggested audiences over a million people
	@$(BIN)/python -m bench.insight
bench-population: $(STAMPS)/dev $(STAMPS)/words ## Questions about a million people alone, over their columnar copy
	@$(BIN)/python -m bench.population
bench-count: $(STAMPS)/dev $(STAMPS)/words ## Live counts, breakdowns and waterfalls over a million people
	@$(BIN)/python -m bench.counts

lock: ## Resolve the newest versions and write the hashed locks
	$(PYTHON) -m venv $(STAMPS)/uv && $(STAMPS)/uv/bin/pip install -q uv
	for name in run dev node spark; do $(STAMPS)/uv/bin/uv pip compile --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" \
		-q requirements/$$name.in -o requirements/$$name.txt; done

clean: ## Remove what was built; data in var/ stays
	rm -rf $(VENV) $(STAMPS) node_modules hongyan/web/static/build

# --- what the commands above stand on -------------------------------------------------------------------------------

$(STAMPS)/venv:
	@mkdir -p $(STAMPS)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is "+sys.version.split()[0]+"; set PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@touch $@

$(STAMPS)/run: $(STAMPS)/venv requirements/run.txt
	@echo "Installing Python packages …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -c "import sysconfig, pathlib; pathlib.Path(sysconfig.get_path('purelib'), 'hongyan.pth').write_text('$(CURDIR)\n')"
	@printf '#!%s\nfrom hongyan.config.cli import main\nmain()\n' "$(CURDIR)/$(BIN)/python" > $(BIN)/hongyan && chmod +x $(BIN)/hongyan
	@touch $@

$(STAMPS)/dev: $(STAMPS)/run requirements/dev.txt
	@echo "Installing what tests and checks need …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

# Node builds the front end only. Where the machine has none (or one too old for Vite), the one from PyPI serves.
$(STAMPS)/node: $(STAMPS)/venv
	@mkdir -p $(STAMPS)/node/bin
	@if ! node -e 'const [a,b]=process.versions.node.split(".").map(Number); process.exit(a>22||(a==22&&b>=12)||(a==20&&b>=19)?0:1)' 2>/dev/null; then \
		echo "Installing Node from PyPI …"; \
		$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/node.txt && \
		for tool in node npm npx; do ln -sf "$(CURDIR)/$(BIN)/$$tool" "$(STAMPS)/node/bin/$$tool"; done; fi
	@touch $@

$(STAMPS)/npm: $(STAMPS)/node package.json package-lock.json
	@echo "Installing front-end packages …"
	@PATH="$(CURDIR)/$(STAMPS)/node/bin:$$PATH" npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(STAMPS)/front: $(STAMPS)/npm $(shell find frontend -type f 2>/dev/null) vite.config.ts
	@echo "Building the front end …"
	@PATH="$(CURDIR)/$(STAMPS)/node/bin:$$PATH" npm run build --silent
	@touch $@

$(STAMPS)/words: $(STAMPS)/run $(shell find hongyan -name '*.po')
	@$(BIN)/python -m tools.words compile
	@touch $@

# Programs the tests need from the distribution: a browser, Postfix's SMTP sink, xgettext, Java.
$(STAMPS)/system: tools/system.sh
	@bash tools/system.sh
	@touch $@
