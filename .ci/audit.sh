#!/usr/bin/env bash
# Ask the OSV database about every installed version. Without a way to it, say so and state the versions.
# Exits with 1 where a version has a known hole.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tool=.venv/audit  # an environment of its own: pip-audit is no part of the workbench
report=$(mktemp)
trap 'rm -f "$report"' EXIT

if { [ -x "$tool/bin/pip-audit" ] || { .venv/bin/python -m venv "$tool" && "$tool/bin/pip" install --quiet pip-audit==2.10.1; }; } 2> /dev/null
then
	code=0
	packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
	"$tool/bin/pip-audit" --vulnerability-service osv --path "$packages" \
		--progress-spinner off --format json --output "$report" 2> /dev/null || code=$?
	if [ -s "$report" ]; then  # written only where every package was asked about
		.venv/bin/python - "$report" <<-'END'
			import json, sys
			packages = json.load(open(sys.argv[1]))["dependencies"]
			holes = [(p["name"], p["version"], v["id"], *v["fix_versions"]) for p in packages for v in p.get("vulns", [])]
			for hole in holes:
			    print(*hole)
			print(f"Audit: {len(packages)} packages, {len(holes)} known holes in their versions.")
		END
		exit "$code"
	fi
fi
echo "NOT AUDITED: the database of known holes (api.osv.dev) cannot be reached from here. The versions in use:"
.venv/bin/python -m pip list --format freeze --disable-pip-version-check
