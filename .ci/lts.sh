# Sourced: puts the newest LTS on the PATH, for the npm package `node` brings the binary and its headers. Sets `work`, a folder
# that is removed at the end.
lts=26
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/node"
echo '{ "private": true, "allowScripts": { "node": true } }' >"$work/node/package.json"
npm install --prefix "$work/node" --no-audit --no-fund "node@$lts" >"$work/log" 2>&1 ||
  { cat "$work/log"; exit 1; }
bin=$(dirname "$(find "$work/node/node_modules" -path '*/bin/node' -type f -size +1M | head -n 1)")
headers=$(find "$work/node/node_modules" -type d -path '*/include/node' | head -n 1)
[ -x "$bin/node" ] && [ -n "$headers" ] || { echo "node@$lts brought no binary or no headers"; exit 1; }
export PATH="$bin:$PATH" npm_config_nodedir="${headers%/include/node}"
echo "Node $(node --version)"
