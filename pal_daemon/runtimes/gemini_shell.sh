# What the commands of Gemini CLI inherit. The program starts `bash -c` for them and for its hooks, and bash reads this
# file first, because BASH_ENV names it. A launcher of the program that is a bash script itself keeps all.
if [ -n "${GEMINI_CLI-}${GEMINI_PROJECT_DIR-}" ]; then
  unset BASH_ENV
  shopt -s nocasematch
  for pal_name in $(compgen -e); do
    case $pal_name in
      pal_* | gemini_cli_pal_* | git_config_*) ;;
      *key* | *token* | *secret* | *password* | *passwd* | *credential* | *creds* | *private* | *_auth | *_headers)
        unset "$pal_name"
        ;;
    esac
  done
  shopt -u nocasematch
  unset pal_name
  # Where its user has it keep back what sounds secret, these come by names that it lets through.
  if [ -n "${GEMINI_CLI_PAL_TOKEN-}" ]; then
    export PAL_RUN_TOKEN="$GEMINI_CLI_PAL_TOKEN" PAL_AGENT_KEY="$GEMINI_CLI_PAL_AGENT"
    unset GEMINI_CLI_PAL_TOKEN GEMINI_CLI_PAL_AGENT
  fi
fi
