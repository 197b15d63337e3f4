# What the commands of Gemini CLI do not inherit. The program starts `bash -c` for them and for its hooks, and bash reads
# this file first, because BASH_ENV names it. A launcher of the program that is a bash script itself keeps all.
if [ -n "${GEMINI_CLI-}${GEMINI_PROJECT_DIR-}" ]; then
  unset BASH_ENV
  shopt -s nocasematch
  for pal_name in $(compgen -e); do
    case $pal_name in
      pal_* | git_config_*) ;;
      *key* | *token* | *secret* | *password* | *passwd* | *credential* | *creds* | *private* | *_auth | *_headers)
        unset "$pal_name"
        ;;
    esac
  done
  shopt -u nocasematch
  unset pal_name
fi
