#!/usr/bin/env bash
# Generates TypeScript types from the daemon's OpenAPI document, compiles a small program with them, and runs it.
#
#     tests/openapi_client/prove.sh [PYTHON]       needs node 20 or later, and npm
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$(realpath -s "${1:-$here/../../.venv/bin/python}")

work=$(mktemp -d)
daemon=
finish() {
  [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

cp "$here/package.json" "$here/tsconfig.json" "$here/client.ts" "$work"
cd "$work"
npm install --silent --no-audit --no-fund

export FT_KEY=a-key-for-the-typescript-client-0123456789
PYTHONPATH="$here/../..${PYTHONPATH:+:$PYTHONPATH}" FT_DATA_DIR="$work/data" FTSERVICE_API_KEY="$FT_KEY" \
  "$python" -m ftcli --paper serve --port 0 >log 2>&1 &
daemon=$!
for _ in $(seq 100); do
  FT_URL=$(sed -n 's/^ft serve listens on \(http.*\)$/\1/p' log)
  [ -z "$FT_URL" ] || break
  kill -0 "$daemon" 2>/dev/null || break
  sleep 0.1
done
[ -n "$FT_URL" ] || { cat log >&2; exit 1; }
export FT_URL

# A member with a default may be left out of a request.
npx openapi-typescript "$FT_URL/openapi.json" --default-non-nullable false --output ft.d.ts
npx tsc
node out/client.js
