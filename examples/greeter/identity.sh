# Read by make-repos and change: commits that depend on nothing of the machine or its user.
GIT_AUTHOR_NAME='Greeter Team' GIT_AUTHOR_EMAIL='team@greeter.example'
GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TEMPLATE_DIR=
export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
export GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL GIT_TEMPLATE_DIR
# A caller inside a git hook or work tree must not make us commit there.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
