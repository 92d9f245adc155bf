# splitmail: completion for bash.  In ~/.bashrc:
#	source <(splitmail completion bash)
_splitmail() {
	local line=${COMP_LINE:0:COMP_POINT} current behind word
	local -a words

	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=("")
	current=${words[-1]}
	# bash cuts words at "=" and ":", and replaces what is behind the cut
	behind=${current##*[=:]}
	COMPREPLY=()
	while IFS= read -r word; do
		[[ $word == *= ]] && compopt -o nospace
		COMPREPLY+=("${word#"${current%"$behind"}"}")
	done < <("${words[0]}" completion words -- "${words[@]:1}" 2>/dev/null)
}
complete -o default -F _splitmail splitmail
