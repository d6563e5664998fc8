# shellcheck shell=bash disable=SC2154 # sourced by guest
# The trace "ext4-database": as TPC-B. Accounts are read and changed, some more often than others; a
# report now and then reads all of them.

change="BEGIN; UPDATE account SET balance = balance + @R WHERE id = @N;
SELECT balance FROM account WHERE id = @N;
INSERT INTO history(account, delta) VALUES (@N, @R);
UPDATE teller SET balance = balance + @R WHERE id = @N % 200 + 1; COMMIT;"
look="SELECT balance + @R FROM account WHERE id = @N;"

work() {
	local accounts=1800000 round
	fs_on
	sed "s/@ACCOUNTS@/$accounts/" "$here/ext4-database.sql" | sqlite3 /mnt/db
	for round in 1 2 3 4 5 6; do
		{
			echo 'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;'
			zipf 8000 $accounts "$round" "$change"
			zipf 12000 $accounts "1$round" "$look"
			[ $((round % 3)) != 0 ] || echo 'SELECT sum(balance) FROM account;'
		} | sqlite3 /mnt/db >/dev/null
	done
	umount /mnt
}
