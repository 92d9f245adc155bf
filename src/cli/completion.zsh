#compdef splitmail
# splitmail: completion for zsh.  In ~/.zshrc, behind compinit:
#	source <(splitmail completion zsh)
_splitmail() {
	local -a found open
	found=("${(@f)$("${words[1]}" completion words -- \
		"${(@)words[2,CURRENT]}" 2>/dev/null)}")
	open=("${(@M)found:#*=}")
	found=("${(@)found:#*=}")
	found=("${(@)found:#}")
	(( $#open )) && compadd -S '' -- "${open[@]}"
	if (( $#found )); then
		compadd -- "${found[@]}"
	elif (( ! $#open )); then
		_files
	fi
}
compdef _splitmail splitmail
