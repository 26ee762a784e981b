# slurmdbd with a MariaDB of its own, for tools/labs/slurm/up.

start_accounting() {
  local socket=$dir/run/sql/socket one
  install -d -o mysql -g mysql -m 750 "$dir/sql" "$dir/run/sql"
  if [ ! -d "$dir/sql/mysql" ]; then
    mariadb-install-db --no-defaults --user=mysql --datadir="$dir/sql" --skip-test-db >"$dir/log/sql-install.out" 2>&1
  fi
  pid_of mariadbd >/dev/null || run mariadbd mariadbd --no-defaults --user=mysql --datadir="$dir/sql" \
    --socket="$socket" --skip-networking --pid-file="$dir/run/sql/own" --innodb-buffer-pool-size=64M \
    --innodb-lock-wait-timeout=900 --innodb-flush-log-at-trx-commit=2
  until_true 180 mariadbd mariadb --no-defaults -S "$socket" -e 'select 1'
  mariadb --no-defaults -S "$socket" -e "create database if not exists slurm;
    create user if not exists 'slurm'@'localhost' identified by 'slurm'; grant all on slurm.* to 'slurm'@'localhost'"
  (
    umask 077
    cat >"$dir/etc/slurmdbd.conf" <<CONF
DbdHost=$host
DbdAddr=127.0.0.1
DbdPort=$((base + 2))
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$munge_socket
AuthAltTypes=auth/jwt
AuthAltParameters=jwt_key=$dir/state/jwt.key
LogFile=$dir/log/slurmdbd.log
PidFile=$dir/run/slurmdbd.own
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
CommitDelay=1
CONF
  )
  # The database library finds the socket of "localhost" by this.
  pid_of slurmdbd >/dev/null || MYSQL_UNIX_PORT=$socket run slurmdbd slurmdbd -D
  until_true 180 slurmdbd sacctmgr -n show cluster
  sacctmgr -i -Q add cluster "$name" >/dev/null 2>&1 || true
  sacctmgr -i -Q add account lab cluster="$name" >/dev/null 2>&1 || true
  for one in "$user" "$stranger"; do
    sacctmgr -i -Q add user "$one" account=lab cluster="$name" >/dev/null 2>&1 || true
  done
}
