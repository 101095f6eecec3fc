# shellcheck shell=bash disable=SC2034 # what is set here is for the scripts that source this file
# What the scripts share that try the gateway from JavaScript and Python. Source servers.sh before.
#
#   web_packages    finds Node or installs it, and the packages of web/package-lock.json below web/node_modules
#   debug_program   prints where the debug build lies
#   start_demo      starts `c360 demo` and sets DEMO_URL and DEMO_DIR; it ends with the script
#   C360            names the program to start; by default the debug build, which is built first

NODE_WANTED=20

# node_is_here: whether scripts that need Node can run without installing it.
node_is_here() {
  command -v npm >/dev/null &&
    [ "$(node --print 'parseInt(process.versions.node)' 2>/dev/null || echo 0)" -ge "$NODE_WANTED" ]
}

web_packages() {
  local stamp=web/node_modules/.c360 lock
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then install_packages nodejs npm; fi
  node_is_here || die "Node $NODE_WANTED or newer is needed, and $(node --version) is here: https://nodejs.org"
  lock="$(cat web/package.json web/package-lock.json | sha256sum)"
  if [ "$(cat "$stamp" 2>/dev/null)" = "$lock" ]; then return; fi
  say "installing the packages of web/package-lock.json"
  npm ci --prefix web --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error >&2 ||
    die "npm could not install the packages"
  printf '%s\n' "$lock" >"$stamp"
}

debug_program() {
  cargo metadata --no-deps --format-version 1 --offline | sed 's|.*"target_directory":"\([^"]*\)".*|\1/debug/c360|'
}

start_demo() {
  local wait
  if [ -z "${C360:-}" ]; then
    cargo build --quiet --bin c360
    C360="$(debug_program)"
  fi
  DEMO_DIR="$(mktemp -d "${TMPDIR:-/tmp}/c360-demo.XXXXXX")"
  trap end_demo EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  "$C360" demo --listen 127.0.0.1:0 --data-dir "$DEMO_DIR" --customers 300 >"$DEMO_DIR/log" 2>&1 &
  DEMO_PID=$!
  for ((wait = 0; wait < 600; wait++)); do
    DEMO_URL="$(sed -n 's|^ *GraphQL *\(http://.*\)/graphql$|\1|p' "$DEMO_DIR/log")"
    if [ -n "$DEMO_URL" ]; then return; fi
    kill -0 "$DEMO_PID" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$DEMO_DIR/log" >&2
  die "the demo did not start"
}

end_demo() {
  local code=$?
  trap - EXIT
  kill "$DEMO_PID" 2>/dev/null || true
  wait "$DEMO_PID" 2>/dev/null || true
  rm -rf "$DEMO_DIR"
  exit "$code"
}

# demo_token CALLER: prints the token that the demo made for it.
demo_token() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$DEMO_DIR/tokens.json"; }
