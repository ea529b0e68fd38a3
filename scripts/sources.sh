# Sourced, not run: finds the project's own files without git, so that it also
# works in an unpacked archive or in a tree that belongs to another user.

# own_files prints the files whose names match the pattern, each ended by NUL.
own_files() {
	find . \( -path ./.git -o -path ./bin -o -path ./data -o -path ./tmp -o -name node_modules \) -prune \
		-o -type f -name "$1" -print0 | sort -z
}
