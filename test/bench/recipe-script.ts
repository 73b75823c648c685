/** Recipes in bash. They are called with a folder that has a `sh` and a `page`, and the words of a tool. */

/** 13 verbs: from, 3 config, 2 copy, 5 run, 2 config, commit --rm. */
export const recipe13 = `set -e
folder=$1; shift
c=$("$@" from scratch)
"$@" config --env A=1 "$c"
"$@" config --label l=1 "$c"
"$@" config --workingdir / "$c"
"$@" copy -q "$c" "$folder/sh" /bin/sh
"$@" copy -q "$c" "$folder/page" /page
for i in 1 2 3 4 5; do "$@" run "$c" -- /bin/sh -c "echo $i >/file$i"; done
"$@" config --cmd /bin/sh "$c"
"$@" config --port 80 "$c"
"$@" commit -q --rm "$c" recipe >/dev/null
`

/** 200 verbs: from, copy, 33 times 3 config, 2 copy and a run, commit --rm. */
export const recipe200 = `set -e
folder=$1; shift
c=$("$@" from scratch)
"$@" copy -q "$c" "$folder/sh" /bin/sh
for i in {1..33}; do
  "$@" config --env "A$i=1" "$c"
  "$@" config --label "l$i=1" "$c"
  "$@" copy -q "$c" "$folder/page" "/page$i"
  "$@" copy -q "$c" "$folder/page" "/other$i"
  "$@" run "$c" -- /bin/sh -c "echo $i >/file$i"
  "$@" config --workingdir / "$c"
done
"$@" commit -q --rm "$c" recipe >/dev/null
`
