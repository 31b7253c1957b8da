/**
 * The commands and flags of the classic bd 0.23.1, as its reference lists them: each is taken, or refused with a reason
 * and what to do instead. None is unknown.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Argv from "../../src/cli/Argv.ts"

/** A word for each positional, and the flags; `=` before a flag's end: it takes a value. */
const classic = `
create Title: --file= -f= --from-template= --title= --priority=1 -p=1 --type=task -t=task --assignee= -a= --description= -d= --design= --acceptance= --external-ref= --labels= -l= --label= --id= --parent= --deps= --force --repo=
new Title: --priority=1
show x: --json
list: --status= -s= --priority= -p= --priority-min= --priority-max= --type= -t= --assignee= -a= --label= -l= --label-any= --title= --title-contains= --desc-contains= --notes-contains= --id= --limit=3 -n=3 --long --format=dot --all --created-after= --created-before= --updated-after= --updated-before= --closed-after= --closed-before= --empty-description --no-assignee --no-labels
ready: --limit=3 -n=3 --priority= -p= --assignee= -a= --sort=hybrid -s=oldest --label= -l= --label-any=
blocked: --json
stale: --days=3 -d=3 --status= -s= --limit=3 -n=3
stats: --json
status: --all --assigned
update x: --status= -s= --priority= -p= --title= --assignee= -a= --description= -d= --design= --notes= --acceptance= --external-ref= --acceptance-criteria=
close x: --reason= -r=
reopen x: --reason= -r=
edit x: --title --description --design --notes --acceptance
dep add x y: --type= -t=
dep remove x y: --json
dep tree x: --max-depth=3 -d=3 --reverse --show-all-paths --format=mermaid
dep cycles: --json
label add x y: --json
label remove x y: --json
label list x: --json
label list-all: --json
comments x: --json
comments add x text: --file= -f= --author= -a=
comment x text: --file= --author=
epic status: --eligible-only
epic close-eligible: --dry-run
delete x: --force -f --from-file= --dry-run --cascade
cleanup: --force -f --dry-run --cascade --older-than=3
duplicates: --auto-merge --dry-run
validate: --checks= --fix-all
detect-pollution: --clean --yes
repair-deps: --fix --interactive
info: --schema --whats-new
export: --format=jsonl -f=jsonl --output= -o= --status= -s= --force
import: --input= -i= --dry-run --strict --skip-existing -s --rename-on-import --dedupe-after --clear-duplicate-external-refs
sync: --message= -m= --dry-run --no-push --no-pull --rename-on-import --flush-only --import-only --status --merge
config set a b: --json
config get a: --json
config list: --json
config unset a: --json
init: --prefix= -p= --quiet -q --branch= -b= --contributor --team --skip-merge-driver
doctor path: --fix --perf
rename-prefix x: --dry-run --repair
merge o b l r: --debug
compact: --analyze --apply --auto --dry-run --all --id= --tier=1 --summary= --actor= --limit=0 --force --stats
restore x: --json
migrate: --dry-run --cleanup --yes --inspect --to-hash-ids --to-separate-branch= --update-repo-id
migrate-hash-ids: --dry-run
migrate-issues: --from= --to=
clean: --dry-run
template list: --json
hooks install: --force
hooks uninstall: --json
hooks list: --json
version: --daemon
quickstart: --json
onboard: --json
prime: --full --mcp
setup claude: --check --remove --project
message send: -s=
daemon: --start --stop --status --health --global --auto-commit --auto-push --interval= --log=
daemons list: --json
repo add path: --json
completion bash: --no-descriptions
help create: --json
`

const rows = classic
  .trim()
  .split("\n")
  .map(row => {
    const [words = "", flags = ""] = row.split(": ")
    return { words: words.split(" "), flags: flags.split(" ") }
  })

const reasonOf = (words: ReadonlyArray<string>): string | undefined => {
  const reading = Argv.read(words)
  if (reading._tag !== "Misread") return undefined
  const { error } = reading
  return error._tag === "UsageError" ? `${error.detail} (${error.hint})` : error.message
}

describe("the classic bd", () => {
  for (const { flags, words } of rows) {
    it(`contract: bd ${words.join(" ")} is known with each of its flags, or refused with what to do instead`, () => {
      for (const flag of flags) {
        const [name = "", value] = flag.split("=")
        const reason = reasonOf([...words, name, ...(value === undefined ? [] : [value || "x"])])
        if (reason !== undefined) expect(reason).toMatch(/(is not supported|is not here) \((?!undefined)/)
      }
    })
  }

  it("contract: its global flags are known", () => {
    for (const flag of ["--json", "--no-daemon", "--no-auto-flush", "--no-auto-import", "--sandbox"]) {
      expect(reasonOf([flag, "list"])).toBeUndefined()
    }
    for (const flag of ["--db", "--actor"]) expect(reasonOf([flag, "x", "list"])).toBeUndefined()
    for (const flag of ["--no-db", "--profile"]) expect(reasonOf([flag, "list"])).toMatch(/is not supported \(/)
  })

  it("contract: what is refused says so, and is no unknown flag", () => {
    const refused = rows.flatMap(({ flags, words }) =>
      flags
        .filter(flag => {
          const [name = "", value] = flag.split("=")
          return reasonOf([...words, name, ...(value === undefined ? [] : [value || "x"])]) !== undefined
        })
        .map(flag => `${words[0]} ${flag}`)
    )
    expect(refused).toMatchInlineSnapshot(`
      [
        "create --from-template=",
        "create --repo=",
        "edit --title",
        "edit --description",
        "edit --design",
        "edit --notes",
        "edit --acceptance",
        "cleanup --force",
        "cleanup -f",
        "cleanup --dry-run",
        "cleanup --cascade",
        "cleanup --older-than=3",
        "repair-deps --interactive",
        "init --contributor",
        "init --team",
        "doctor --perf",
        "rename-prefix --repair",
        "compact --analyze",
        "compact --apply",
        "compact --auto",
        "compact --dry-run",
        "compact --all",
        "compact --id=",
        "compact --tier=1",
        "compact --summary=",
        "compact --actor=",
        "compact --limit=0",
        "compact --force",
        "compact --stats",
        "restore --json",
        "migrate --to-hash-ids",
        "migrate --to-separate-branch=",
        "migrate-hash-ids --dry-run",
        "migrate-issues --from=",
        "migrate-issues --to=",
        "clean --dry-run",
        "template --json",
        "version --daemon",
        "setup --check",
        "setup --remove",
        "setup --project",
        "message -s=",
        "daemons --json",
        "repo --json",
      ]
    `)
  })
})
