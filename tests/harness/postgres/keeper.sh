# Minds one Postgres cluster: does what it is told on standard input, one order
# a line, and answers each with an exit code. When its input ends, which happens
# however the process at the other end dies, it stops the cluster and removes it.
#
# $1 is the folder of Postgres' programs, $2 the cluster's own folder.
cd /
exec 2>>"$2/keeper.log"
trap : HUP INT TERM

obey() {
    case $1 in
    init) "$programs/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C --no-sync ;;
    start) "$programs/pg_ctl" -D "$data" -l "$folder/server.log" -w -t 60 start ;;
    stop) "$programs/pg_ctl" -D "$data" -m "$2" -w -t 60 stop ;;
    *) false ;;
    esac >&2 </dev/null
}

programs=$1 folder=$2 data=$2/data
while read -r order how; do
    obey "$order" "$how"
    echo $?
done
obey stop immediate
rm -rf "$folder"
