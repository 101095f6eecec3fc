# shellcheck shell=bash disable=SC2034 # what is set here is for the scripts that source this file
# Private PostgreSQL and Redis servers for scripts: on free ports, under one folder, gone when the script is.
#
#   servers_in [FOLDER]        call it first: finds the programs, or installs them with apt-get, or says what to
#                              install; all that the servers write lies in FOLDER, which stays, or in a temporary one
#   start_postgres [SETTINGS]  sets POSTGRES_URL (database `postgres`, superuser c360) and POSTGRES_PID
#   start_redis [ARGUMENT…]    sets REDIS_SERVER_URL and REDIS_PID
#   run_in_group COMMAND…      sets GROUP_PID: a job in a process group of its own; stop_servers ends it too
#   end_group PID              asks all of such a group to end, then makes it
#   stop_servers               ends all of them; run it from a trap. If the script is killed outright, a guard runs it
#   free_port                  prints a port on which nothing listens

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}

# A fresh rustup is not on the PATH of a shell that was open before it.
[ -d "${CARGO_HOME:-${HOME:-}/.cargo}/bin" ] && PATH="$PATH:${CARGO_HOME:-${HOME:-}/.cargo}/bin"
unset PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD PGDATA PGOPTIONS PGSERVICE

servers_in() {
  local missing=()
  postgres_bin >/dev/null || missing+=(postgresql)
  redis_bin >/dev/null || missing+=(redis-server)
  [ "${#missing[@]}" = 0 ] || install_packages "${missing[@]}"
  PG_BIN="$(postgres_bin)" || die "PostgreSQL's programs (initdb, pg_ctl) were not found; set PG_BIN to their folder"
  REDIS_BIN="$(redis_bin)" || die "redis-server was not found"
  SERVERS_DIR="${1:-$(mktemp -d "${TMPDIR:-/tmp}/c360.XXXXXX")}"
  [ "$#" != 0 ] || SERVERS_TEMPORARY=yes
  mkdir -p "$SERVERS_DIR"
  SERVERS_DIR="$(cd "$SERVERS_DIR" && pwd)"
  # PostgreSQL does not run as root, so another user has to reach its own folder below this one.
  if [ "$(id -u)" = 0 ]; then
    chmod 711 "$SERVERS_DIR"
    DB_USER=postgres
    id -u "$DB_USER" >/dev/null 2>&1 || DB_USER=nobody
  fi
  set -m # a process group of its own, so that what ends this script's group leaves it alive
  guard </dev/null >/dev/null 2>&1 &
  GUARD_PID=$!
  set +m
  disown "$GUARD_PID"
}

# Runs a program as the user that owns the database, from a folder that this user can enter.
as_db_user() {
  if [ "$(id -u)" = 0 ]; then (cd / && exec runuser -u "$DB_USER" -- "$@"); else "$@"; fi
}

postgres_bin() { # prints the folder of the newest PostgreSQL server programs
  local folder found=''
  if [ -n "${PG_BIN:-}" ]; then
    found="$PG_BIN"
  elif command -v initdb >/dev/null && command -v pg_ctl >/dev/null; then
    found="$(dirname "$(readlink -f "$(command -v initdb)")")"
  else
    for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin | sort -V); do
      [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ] && found="$folder"
    done
  fi
  [ -n "$found" ] && printf '%s\n' "$found"
}

redis_bin() {
  local name
  for name in redis-server valkey-server /usr/sbin/redis-server /usr/local/bin/redis-server; do
    command -v "$name" && return
  done
  return 1
}

# install_packages PROGRAM=PACKAGE…: brings what is missing with apt-get, or stops with the line to type.
install_packages() {
  local packages=("$@") line="apt-get install --yes --no-install-recommends $*" as=()
  command -v apt-get >/dev/null || die "missing: ${packages[*]} (or their equivalents on this system)"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "missing: ${packages[*]}. As root: $line"
    if [ -t 2 ] && [ -z "${CI:-}" ]; then as=(sudo); else as=(sudo -n); fi
    "${as[@]}" true || die "missing: ${packages[*]}. As root: $line"
  fi
  say "installing ${packages[*]}"
  as+=(env DEBIAN_FRONTEND=noninteractive)
  {
    "${as[@]}" apt-get update --quiet=2 || true
    "${as[@]}" apt-get install --quiet=2 --yes --no-install-recommends "${packages[@]}"
  } </dev/null >&2 || die "could not install ${packages[*]}. As root: $line"
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() { # below the range from which the kernel takes the ports of outgoing connections
  local port
  while :; do
    port=$((15000 + (RANDOM * 32768 + RANDOM) % 17000))
    listens "$port" || break
  done
  printf '%s\n' "$port"
}

start_postgres() {
  local home="$SERVERS_DIR/postgres" settings="${1:-}"
  mkdir -p "$home"
  chmod 700 "$home"
  if [ "$(id -u)" = 0 ]; then chown "$DB_USER" "$home"; fi
  as_db_user test -w "$home" || die "user ${DB_USER:-$(id -un)} cannot reach $home; set TMPDIR to a folder that everyone may enter"
  if ! as_db_user test -s "$home/data/PG_VERSION"; then
    as_db_user env LC_ALL=C "$PG_BIN/initdb" --pgdata="$home/data" --username=c360 --auth=trust --encoding=UTF8 \
      --locale=C --no-sync >"$SERVERS_DIR/initdb.log" 2>&1 || die "initdb failed: $(cat "$SERVERS_DIR/initdb.log")"
  fi
  as_db_user tee "$home/data/c360.conf" >/dev/null <<EOC
listen_addresses = '127.0.0.1'
unix_socket_directories = '$home'
timezone = 'UTC'
log_line_prefix = '%m [%p] '
$settings
EOC
  if ! as_db_user grep -q c360.conf "$home/data/postgresql.conf"; then
    echo "include 'c360.conf'" | as_db_user tee -a "$home/data/postgresql.conf" >/dev/null
  fi
  local port attempt
  for attempt in 1 2 3 4 5; do # somebody else may take the port between looking and listening
    port="$(free_port)"
    if as_db_user "$PG_BIN/pg_ctl" --pgdata="$home/data" --log="$home/log" --wait --timeout=120 --silent \
      -o "-p $port" start </dev/null >/dev/null 2>&1; then
      POSTGRES_PID="$(as_db_user head -n 1 "$home/data/postmaster.pid")"
      POSTGRES_PORT="$port"
      POSTGRES_URL="postgres://c360@127.0.0.1:$port/postgres"
      return
    fi
    say "PostgreSQL did not start on port $port (attempt $attempt)"
  done
  as_db_user tail -n 20 "$home/log" >&2 || true
  die "PostgreSQL did not start"
}

start_redis() {
  local home="$SERVERS_DIR/redis" port attempt wait
  mkdir -p "$home"
  for attempt in 1 2 3 4 5; do
    port="$(free_port)"
    set -m # a process group of its own: Ctrl-C must not end it before the tests that use it
    "$REDIS_BIN" --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$home" --daemonize no \
      --logfile "$home/log" "$@" </dev/null >/dev/null 2>&1 &
    REDIS_PID=$!
    set +m
    disown "$REDIS_PID"
    echo "$REDIS_PID" >"$home/pid"
    for ((wait = 0; wait < 100; wait++)); do
      kill -0 "$REDIS_PID" 2>/dev/null || break
      if redis_is "$port" "$REDIS_PID"; then
        REDIS_SERVER_URL="redis://127.0.0.1:$port"
        return
      fi
      sleep 0.1
    done
    say "Redis did not start on port $port (attempt $attempt)"
    kill -KILL "$REDIS_PID" 2>/dev/null || true
  done
  tail -n 20 "$home/log" >&2 || true
  die "Redis did not start"
}

redis_is() { # PORT PID: the server on this port is this process, not a stranger's
  local line
  {
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'INFO server\r\nQUIT\r\n' >&3
    while IFS= read -r -t 2 line <&3; do
      if [ "${line%$'\r'}" = "process_id:$2" ]; then
        exec 3>&-
        return 0
      fi
    done
    exec 3>&-
    return 1
  } 2>/dev/null
}

run_in_group() {
  set -m
  {
    set +m
    "$@"
  } </dev/null &
  GROUP_PID=$!
  set +m
  if [ -n "${SERVERS_DIR:-}" ]; then echo "$GROUP_PID" >"$SERVERS_DIR/group.pid"; fi
}

end_group() {
  local wait
  kill -TERM -- "-$1" 2>/dev/null || return 0
  for ((wait = 0; wait < 150; wait++)); do
    kill -0 -- "-$1" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL -- "-$1" 2>/dev/null || true
}

stop_servers() {
  local file pid
  [ -d "${SERVERS_DIR:-}" ] || return 0
  for file in "$SERVERS_DIR/group.pid" "$SERVERS_DIR/redis/pid"; do
    if pid="$(cat "$file" 2>/dev/null)"; then end_group "$pid"; fi
    rm -f "$file"
  done
  if pid="$(as_db_user head -n 1 "$SERVERS_DIR/postgres/data/postmaster.pid" 2>/dev/null)"; then
    as_db_user "$PG_BIN/pg_ctl" --pgdata="$SERVERS_DIR/postgres/data" --mode="${POSTGRES_STOP:-immediate}" --wait \
      --silent stop >/dev/null 2>&1 || kill -QUIT "$pid" 2>/dev/null || true
  fi
  if [ -n "${SERVERS_TEMPORARY:-}" ]; then rm -rf "$SERVERS_DIR"; fi
  if [ -n "${GUARD_PID:-}" ] && [ "$BASHPID" = "$$" ]; then kill -KILL -- "-$GUARD_PID" 2>/dev/null || true; fi
}

guard() { # in the background: when the script was killed and could not run its traps, do it here
  trap '' INT TERM HUP
  while kill -0 "$$" 2>/dev/null; do sleep 1; done
  stop_servers
}
