_pulse-echo() {
    local i cur prev opts cmds cmd
    COMPREPLY=()
    cur="${COMP_WORDS[COMP_CWORD]}"
    if [[ $COMP_CWORD -ge 1 ]]; then
        prev="${COMP_WORDS[COMP_CWORD-1]}"
    else
        prev=""
    fi
    cmd=""
    opts=""

    for i in ${COMP_WORDS[@]}; do
        case "${i}" in
            pulse-echo | */pulse-echo)
                cmd="pulse-echo"
                ;;
            send)
                cmd="pulse-echo_send"
                ;;
            check)
                cmd="pulse-echo_check"
                ;;
            run)
                cmd="pulse-echo_run"
                ;;
            init)
                cmd="pulse-echo_init"
                ;;
            doctor)
                cmd="pulse-echo_doctor"
                ;;
            status)
                cmd="pulse-echo_status"
                ;;
            outages)
                cmd="pulse-echo_outages"
                ;;
            mute)
                cmd="pulse-echo_mute"
                ;;
            unmute)
                cmd="pulse-echo_unmute"
                ;;
            ack)
                cmd="pulse-echo_ack"
                ;;
            retire)
                cmd="pulse-echo_retire"
                ;;
            loop)
                cmd="pulse-echo_loop"
                ;;
            start)
                cmd="pulse-echo_loop_start"
                ;;
            stop)
                cmd="pulse-echo_loop_stop"
                ;;
            tick)
                cmd="pulse-echo_loop_tick"
                ;;
            test)
                cmd="pulse-echo_loop_test"
                ;;
            show)
                cmd="pulse-echo_loop_show"
                ;;
        esac
    done

    case "${cmd}" in
        pulse-echo)
            opts="--config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            cmds="send check run init doctor status outages mute unmute ack retire loop"
            case "${prev}" in
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_send)
            opts="--pulse --name --splay --retire --dry-run --config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --pulse)
                    COMPREPLY=()
                    return 0
                    ;;
                --name)
                    COMPREPLY=()
                    return 0
                    ;;
                --splay)
                    COMPREPLY=()
                    return 0
                    ;;
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_check)
            opts="--name --warning -w --critical -c --timeout -t --json --prom --config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --name)
                    COMPREPLY=()
                    return 0
                    ;;
                --warning | -w)
                    COMPREPLY=()
                    return 0
                    ;;
                --critical | -c)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout | -t)
                    COMPREPLY=()
                    return 0
                    ;;
                --prom)
                    COMPREPLY=()
                    return 0
                    ;;
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_run)
            opts="--pulse --name --wait --config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --pulse)
                    COMPREPLY=()
                    return 0
                    ;;
                --name)
                    COMPREPLY=()
                    return 0
                    ;;
                --wait)
                    COMPREPLY=()
                    return 0
                    ;;
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_init)
            opts="--url --body --contains --min-disk-free-pct --min-mem-available-mib --max-load1 --anyway --config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --url)
                    COMPREPLY=()
                    return 0
                    ;;
                --body)
                    COMPREPLY=()
                    return 0
                    ;;
                --contains)
                    COMPREPLY=()
                    return 0
                    ;;
                --min-disk-free-pct)
                    COMPREPLY=()
                    return 0
                    ;;
                --min-mem-available-mib)
                    COMPREPLY=()
                    return 0
                    ;;
                --max-load1)
                    COMPREPLY=()
                    return 0
                    ;;
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_doctor)
            opts="--config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_status)
            opts="--state --expect --json --prom --link --for --config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --state)
                    COMPREPLY=()
                    return 0
                    ;;
                --expect)
                    COMPREPLY=()
                    return 0
                    ;;
                --prom)
                    COMPREPLY=()
                    return 0
                    ;;
                --for)
                    COMPREPLY=()
                    return 0
                    ;;
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_outages)
            opts="--since --json --config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --since)
                    COMPREPLY=()
                    return 0
                    ;;
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_mute)
            opts="--for --reason --anyway --list --config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --for)
                    COMPREPLY=()
                    return 0
                    ;;
                --reason)
                    COMPREPLY=()
                    return 0
                    ;;
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_unmute)
            opts="--anyway --config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_ack)
            opts="--reason --by --remove --config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --reason)
                    COMPREPLY=()
                    return 0
                    ;;
                --by)
                    COMPREPLY=()
                    return 0
                    ;;
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_retire)
            opts="--dry-run --anyway --config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_loop)
            opts="--config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            cmds="start stop tick test show"
            case "${prev}" in
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_loop_start)
            opts="--config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_loop_stop)
            opts="--config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_loop_tick)
            opts="--config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_loop_test)
            opts="--config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
        pulse-echo_loop_show)
            opts="--json --config --bucket --host --region --endpoint --path-style --profile --ca-file --timeout-s --quiet -q --verbose -v --help -h --version -V"
            case "${prev}" in
                --config)
                    COMPREPLY=()
                    return 0
                    ;;
                --bucket)
                    COMPREPLY=()
                    return 0
                    ;;
                --host)
                    COMPREPLY=()
                    return 0
                    ;;
                --region)
                    COMPREPLY=()
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=()
                    return 0
                    ;;
                --profile)
                    COMPREPLY=()
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=()
                    return 0
                    ;;
                --timeout-s)
                    COMPREPLY=()
                    return 0
                    ;;
                *)
                    COMPREPLY=( $(compgen -W "${opts} ${cmds}" -- "${cur}") )
                    return 0
                    ;;
            esac
            ;;
    esac
}

complete -F _pulse-echo -o bashdefault -o default pulse-echo
