/**
 * What front ends and agents send to `bd`, as recorded from their sources: the words they spawn it with, and the keys
 * they read from its answer. `ID`, `OTHER` and `CHILD` stand for issues of a prepared project.
 *
 * U beads-ui 0.12.0 · N what its 0.12.6 sends beyond that · M beads-mcp (its CLI client) · V vscode-beads 0.14 ·
 * E beads.el · B beads-task-issue-tracker · K beads-vscode (klabo) · A agents by habit · G git hooks
 *
 * `test/system/front-ends/BeadsUi.test.ts` records what U really sends, and fails if it is not what stands here.
 */
export interface Call {
  readonly who: string
  readonly words: ReadonlyArray<string>
  /**
   * What must be in the JSON answer: `id` of an object, `[].id` of each element of an array that is not empty, `[]` an
   * array. Absent: the answer is not read as JSON.
   */
  readonly keys?: ReadonlyArray<string>
  /** What the text on stdout must look like. */
  readonly text?: RegExp
  /** Sent before it, to make sense of it. */
  readonly first?: ReadonlyArray<string>
}

/** What every one of them reads of an issue. */
const issue = ["id", "title", "description", "status", "priority", "issue_type", "created_at", "updated_at"]
const issues = issue.map(key => `[].${key}`)
const counted = [...issues, "[].dependency_count", "[].dependent_count"]
const comment = ["id", "issue_id", "author", "text", "created_at"]

export const calls: ReadonlyArray<Call> = [
  // beads-ui: each call begins with --sandbox
  { who: "U", words: ["--sandbox", "list", "--json", "--tree=false"], keys: counted },
  { who: "U", words: ["--sandbox", "list", "--json", "--tree=false", "--status", "in_progress"], keys: ["[]"] },
  {
    who: "U",
    words: ["--sandbox", "list", "--json", "--tree=false", "--status", "closed", "--limit", "1000"],
    first: ["close", "ID"],
    keys: [...issues, "[].closed_at"]
  },
  {
    who: "U",
    words: ["--sandbox", "epic", "status", "--json"],
    keys: [...issue.map(key => `[].epic.${key}`), "[].total_children", "[].closed_children", "[].eligible_for_close"]
  },
  { who: "U", words: ["--sandbox", "blocked", "--json"], keys: [...issues, "[].blocked_by_count", "[].blocked_by"] },
  { who: "U", words: ["--sandbox", "ready", "--limit", "1000", "--json"], keys: issues },
  {
    who: "U",
    words: ["--sandbox", "show", "ID", "--json"],
    keys: [...issues, "[].labels", "[].dependencies.[].id", "[].dependencies.[].dependency_type", "[].comments.[].text"]
  },
  { who: "U", words: ["--sandbox", "show", "OTHER", "--json"], keys: ["[].dependents.[].dependency_type"] },
  { who: "U", words: ["--sandbox", "create", "A title", "-t", "bug", "-p", "1", "-d", "About it"] },
  { who: "U", words: ["--sandbox", "update", "ID", "--assignee", "bob"] },
  { who: "U", words: ["--sandbox", "update", "ID", "--assignee", ""] },
  { who: "U", words: ["--sandbox", "update", "ID", "--status", "closed"] },
  { who: "U", words: ["--sandbox", "update", "ID", "--priority", "0"] },
  { who: "U", words: ["--sandbox", "update", "ID", "--title", "Another"] },
  { who: "U", words: ["--sandbox", "update", "ID", "--description", "--begins like a flag"] },
  { who: "U", words: ["--sandbox", "update", "ID", "--acceptance-criteria", "When"] },
  { who: "U", words: ["--sandbox", "update", "ID", "--notes", ""] },
  { who: "U", words: ["--sandbox", "update", "ID", "--design", "How"] },
  { who: "U", words: ["--sandbox", "dep", "add", "CHILD", "OTHER"] },
  { who: "U", words: ["--sandbox", "dep", "remove", "ID", "OTHER"] },
  { who: "U", words: ["--sandbox", "label", "add", "ID", "a label"] },
  { who: "U", words: ["--sandbox", "label", "remove", "ID", "ui"] },
  { who: "U", words: ["--sandbox", "comments", "ID", "--json"], keys: comment.map(key => `[].${key}`) },
  { who: "U", words: ["--sandbox", "comments", "OTHER", "--json"], keys: ["[]"] },
  { who: "U", words: ["--sandbox", "comment", "ID", "A text", "--author", "Ann Other"] },
  { who: "U", words: ["--sandbox", "delete", "ID", "--force"] },

  // and its 0.12.6
  { who: "N", words: ["--sandbox", "list", "--json", "--tree=false", "--limit", "0"], keys: counted },
  {
    who: "N",
    words: ["--sandbox", "list", "--json", "--tree=false", "--status", "blocked", "--limit", "0"],
    keys: ["[]"]
  },
  {
    who: "N",
    words: ["--sandbox", "show", "OTHER", "--json", "--include-dependents"],
    keys: [...issues, "[].dependents.[].id", "[].dependents.[].status"]
  },
  { who: "N", words: ["--sandbox", "update", "ID", "--type", "chore"] },
  { who: "N", words: ["--sandbox", "update", "ID", "--status", "deferred"] },
  { who: "N", words: ["--sandbox", "comments", "add", "ID", "- A list\n- of two", "--author", "Ann Other"] },

  // beads-mcp: the globals and --json at the end
  { who: "M", words: ["version"], text: /^bd version (\d+)\.(\d+)\.(\d+)/ },
  { who: "M", words: ["init", "--prefix", "app", "--actor", "ann"], text: /./ },
  { who: "M", words: ["ready", "--limit", "10", "--actor", "ann", "--json"], keys: issues },
  {
    who: "M",
    words: [
      "ready",
      "--limit",
      "10",
      "--type",
      "bug",
      "--priority",
      "1",
      "--label",
      "ui",
      "--sort",
      "hybrid",
      "--json"
    ],
    keys: ["[]"]
  },
  { who: "M", words: ["ready", "--limit", "10", "--unassigned", "--parent", "OTHER", "--json"], keys: ["[]"] },
  { who: "M", words: ["ready", "--limit", "10", "--assignee", "bob", "--label-any", "ui", "--json"], keys: ["[]"] },
  {
    who: "M",
    words: ["list", "--status", "open", "--priority", "1", "--type", "bug", "--limit", "20", "--json"],
    keys: counted
  },
  { who: "M", words: ["list", "--title", "Issue", "--no-assignee", "--label", "ui", "--json"], keys: counted },
  { who: "M", words: ["show", "ID", "--no-auto-import", "--json"], keys: issues },
  {
    who: "M",
    words: [
      "create",
      "A title",
      "-p",
      "1",
      "-t",
      "bug",
      "-d",
      "About",
      "--design",
      "How",
      "--acceptance",
      "When"
    ].concat([
      "--external-ref",
      "gh-7",
      "--assignee",
      "bob",
      "-l",
      "a",
      "-l",
      "b",
      "--deps",
      "discovered-from:ID,OTHER",
      "--json"
    ]),
    keys: issue
  },
  { who: "M", words: ["create", "A title", "-p", "2", "-t", "task", "--id", "app-given", "--json"], keys: issue },
  {
    who: "M",
    words: ["update", "ID", "--status", "in_progress", "--priority", "2", "--assignee", "bob", "--title", "T"].concat([
      "--description",
      "D",
      "--design",
      "H",
      "--acceptance",
      "W",
      "--notes",
      "N",
      "--external-ref",
      "gh-8",
      "--json"
    ]),
    keys: issues
  },
  { who: "M", words: ["update", "ID", "--claim", "--json"], keys: [...issues, "[].assignee"] },
  { who: "M", words: ["close", "ID", "--reason", "Completed", "--json"], keys: [...issues, "[].closed_at"] },
  { who: "M", words: ["reopen", "ID", "OTHER", "--reason", "Again", "--json"], first: ["close", "ID"], keys: issues },
  { who: "M", words: ["dep", "add", "CHILD", "OTHER", "--type", "discovered-from", "--actor", "ann"] },
  { who: "M", words: ["quickstart"], text: /./ },
  {
    who: "M",
    words: ["stats", "--json"],
    keys: [
      "total_issues",
      "open_issues",
      "in_progress_issues",
      "closed_issues",
      "blocked_issues",
      "ready_issues"
    ].concat("average_lead_time_hours")
  },
  { who: "M", words: ["blocked", "--json"], keys: [...issues, "[].blocked_by_count", "[].blocked_by"] },
  { who: "M", words: ["blocked", "--parent", "OTHER", "--json"], keys: ["[]"] },
  { who: "M", words: ["migrate", "--inspect", "--json"], keys: ["registered_migrations", "current_state", "warnings"] },
  { who: "M", words: ["info", "--schema", "--json"], keys: ["schema.tables", "schema.schema_version", "config"] },
  { who: "M", words: ["repair-deps", "--json"], keys: ["orphans_found", "orphans"] },
  { who: "M", words: ["repair-deps", "--fix", "--json"], keys: ["orphans_found", "orphans", "fixed"] },
  { who: "M", words: ["detect-pollution", "--json"], keys: ["issues"] },
  { who: "M", words: ["detect-pollution", "--clean", "--yes", "--json"], keys: ["issues"] },
  {
    who: "M",
    words: ["validate", "--checks", "orphans,conflicts", "--fix-all", "--json"],
    keys: ["checks", "healthy"]
  },

  { who: "M", words: ["update", "ID", "--set-labels", "a,b", "--json"], keys: ["[].labels"] },
  { who: "M", words: ["comment", "ID", "A text", "--actor", "ann"], text: /./ },
  { who: "M", words: ["note", "ID", "A text", "--actor", "ann"], text: /./ },
  { who: "M", words: ["comments", "ID", "--actor", "ann", "--json"], keys: comment.map(key => `[].${key}`) },

  { who: "M", words: ["doctor", "--check=pollution", "--actor", "ann", "--json"], keys: ["issues", "polluted_count"] },
  { who: "M", words: ["doctor", "--check=pollution", "--clean", "--yes", "--json"], keys: ["issues"] },
  { who: "M", words: ["doctor", "--check=validate", "--json"], keys: ["checks", "healthy"] },
  { who: "M", words: ["doctor", "--check=validate", "--fix", "--yes", "--json"], keys: ["checks", "total_fixed"] },
  {
    who: "M",
    words: ["stats", "--actor", "ann", "--json"],
    keys: [
      "summary.total_issues",
      "summary.open_issues",
      "summary.in_progress_issues",
      "summary.closed_issues",
      "summary.blocked_issues"
    ].concat("summary.ready_issues", "summary.average_lead_time_hours")
  },

  // vscode-beads: finds its project by BEADS_DIR, and wants 1.0.5; what is not embedded it takes for a server of Dolt
  { who: "V", words: ["dolt", "show", "--json"], keys: ["embedded"], text: /"embedded": true/ },
  { who: "V", words: ["version"], text: /^bd version (?:[2-9]|1\.0\.[5-9]|1\.[1-9])/ },
  { who: "V", words: ["--version"], text: /^bd version (\d+)\.(\d+)\.(\d+)/ },
  { who: "V", words: ["list", "--all", "--limit", "0", "--json"], keys: counted },
  { who: "V", words: ["list", "--json"], keys: counted },
  {
    who: "V",
    words: ["show", "ID", "--json", "--include-dependents"],
    keys: [...issues, "[].dependencies.[].dependency_type"]
  },
  { who: "V", words: ["show", "OTHER", "--json", "--include-dependents"], keys: ["[].dependents.[].title"] },
  {
    who: "V",
    words: ["create", "--title", "A title", "--type", "task", "--priority", "2", "--label", "a", "--label", "b"].concat(
      ["--json", "--description", "D", "--design", "H", "--acceptance", "W", "--assignee", "bob"]
    ),
    keys: [...issue, "labels"]
  },
  {
    who: "V",
    words: ["update", "ID", "--json", "--title", "T", "--notes", "", "--status", "open", "--priority", "0"].concat([
      "--external-ref",
      "gh-3",
      "--estimate",
      "30",
      "--type",
      "chore"
    ]),
    keys: [...issues, "[].estimated_minutes"]
  },
  { who: "V", words: ["update", "ID", "--json", "--add-label", "a", "--add-label", "b"], keys: ["[].labels"] },
  { who: "V", words: ["update", "ID", "--json", "--remove-label", "ui"], keys: issues },
  { who: "V", words: ["update", "ID", "--json", "--set-labels", "a", "--set-labels", "b"], keys: ["[].labels"] },
  { who: "V", words: ["close", "ID", "--json", "--reason", "Done"], keys: issues },
  { who: "V", words: ["dep", "add", "CHILD", "OTHER", "--type", "blocks", "--json"], keys: ["status", "issue_id"] },
  { who: "V", words: ["dep", "remove", "ID", "OTHER", "--json", "--type", "blocks"], keys: ["status", "issue_id"] },
  { who: "V", words: ["comments", "ID", "--json"], keys: comment.map(key => `[].${key}`) },
  { who: "V", words: ["comments", "add", "ID", "A text", "--json", "--author", "ann"], keys: comment },
  { who: "V", words: ["comment", "ID", "--author", "ann", "--json", "--", "--A text that begins so"], keys: comment },
  { who: "V", words: ["comment", "ID", "--author", "ann", "--", "A text"] },
  { who: "V", words: ["info", "--json"], keys: ["database_path", "issue_count", "mode"] },

  // beads.el: subcommand, globals, --json, flags, words
  { who: "E", words: ["list", "--json", "--status", "open", "--limit", "50"], keys: counted },
  {
    who: "E",
    words: ["list", "--no-daemon", "--json", "--all", "--priority-min", "0", "--sort", "updated"],
    keys: issues
  },
  { who: "E", words: ["show", "--json", "ID"], keys: issues },
  { who: "E", words: ["ready", "--json", "--limit", "100"], keys: issues },
  { who: "E", words: ["blocked", "--json"], keys: ["[].blocked_by_count", "[].blocked_by"] },
  { who: "E", words: ["stale", "--json", "--days", "10"], keys: issues },
  {
    who: "E",
    words: ["create", "--json", "--priority", "1", "--type", "bug", "--labels", "a,b", "A title"],
    keys: issue
  },
  { who: "E", words: ["update", "--json", "--body-file=-", "--estimate", "60", "ID"], keys: issues },
  { who: "E", words: ["close", "--json", "--reason", "Done", "ID"], keys: issues },
  { who: "E", words: ["reopen", "--json", "ID"], keys: issues },
  { who: "E", words: ["delete", "--json", "--force", "ID"], keys: ["deleted", "dependencies_removed"] },
  { who: "E", words: ["delete", "ID"], text: /DELETE PREVIEW/ },
  { who: "E", words: ["label", "list-all", "--json"], keys: ["[].label", "[].count"] },
  { who: "E", words: ["label", "add", "--json", "ID", "a"], keys: ["[].status", "[].issue_id", "[].label"] },
  { who: "E", words: ["dep", "add", "CHILD", "OTHER", "--type", "related", "--json"], keys: ["status", "type"] },
  { who: "E", words: ["dep", "tree", "--json", "ID"], keys: [...issues, "[].depth", "[].parent_id", "[].truncated"] },
  { who: "E", words: ["dep", "cycles", "--json"], keys: ["[]"] },
  { who: "E", words: ["epic", "status", "--json", "--eligible-only"], keys: ["[]"] },
  { who: "E", words: ["epic", "close-eligible", "--json", "--dry-run"], keys: ["[]"] },
  { who: "E", words: ["stats", "--json"], keys: ["total_issues", "ready_issues"] },
  { who: "E", words: ["info", "--json"], keys: ["database_path", "issue_count"] },
  { who: "E", words: ["export", "--output", "out.jsonl", "--no-auto-flush"] },
  { who: "E", words: ["import", "--input", "in.jsonl", "--dry-run"] },
  { who: "E", words: ["init", "--prefix", "app", "--branch", "main", "--quiet"] },

  { who: "E", words: ["show", "--json", "--id=ID", "--include-dependents"], keys: issues },
  {
    who: "E",
    words: ["list", "--json", "--status=open", "--sort=created", "--reverse", "--limit=50"],
    keys: counted
  },
  { who: "E", words: ["list", "--json", "--all"], keys: counted },
  { who: "E", words: ["list", "--json", "--sort=priority", "--limit=50", "--ready"], keys: counted },
  { who: "E", words: ["status", "--json"], keys: ["total_issues", "ready_issues"] },
  { who: "E", words: ["dep", "list", "--json", "ID"], keys: [...issues, "[].dependency_type"] },
  { who: "E", words: ["dep", "tree", "--json", "--direction=up", "OTHER"], keys: [...issues, "[].depth"] },
  {
    who: "E",
    words: ["create", "--json", "--title=A title", "--type=bug", "--priority=1", "--parent=OTHER"].concat(
      "--description=D",
      "--labels=a,b"
    ),
    keys: issue
  },
  { who: "E", words: ["create", "--json", "--stdin", "A title"], keys: issue },
  { who: "E", words: ["update", "--json", "--claim", "ID"], keys: issues },
  { who: "E", words: ["history", "--json", "ID"], keys: ["[]"] },

  // beads-task-issue-tracker: --json at the end
  { who: "B", words: ["list", "--all", "--limit=0", "--json"], keys: counted },
  {
    who: "B",
    words: ["list", "--status=open,in_progress", "--type=bug,task", "--priority=0,1", "--limit=0", "--json"],
    keys: counted
  },
  { who: "B", words: ["list", "--assignee=bob", "--limit=0", "--json"], keys: ["[]"] },
  { who: "B", words: ["ready", "--json"], keys: issues },
  { who: "B", words: ["status", "--json"], keys: ["total_issues"] },
  {
    who: "B",
    words: ["create", "A title", "--description", "D", "--type", "bug", "--priority", "1", "--labels", "a,b"].concat(
      ["--external-ref", "gh-9", "--estimate", "30", "--design", "H", "--acceptance", "W", "--notes", "N"],
      ["--parent", "OTHER", "--json"]
    ),
    keys: [...issue, "labels"]
  },
  {
    who: "B",
    words: ["update", "CHILD", "--set-labels", "a,b", "--parent", "", "--json"],
    keys: [...issues, "[].labels"]
  },
  { who: "B", words: ["close", "ID", "--json"], keys: issues },
  { who: "B", words: ["search", "Issue", "--json"], keys: issues },
  { who: "B", words: ["delete", "ID", "--force", "--json"], keys: ["deleted"] },
  { who: "B", words: ["dep", "add", "ID", "CHILD", "--type", "related", "--json"], keys: ["status"] },
  { who: "B", words: ["dep", "remove", "ID", "OTHER", "--json"], keys: ["status"] },
  { who: "B", words: ["comments", "add", "ID", "A text", "--json"], keys: comment },
  { who: "B", words: ["doctor", "--fix", "--yes"], text: /./ },

  // beads-vscode (klabo): --no-daemon before the command
  { who: "K", words: ["--no-daemon", "list", "--json"], keys: counted },
  { who: "K", words: ["--no-daemon", "export"], text: /^\{"id":"app-a1"/ },
  { who: "K", words: ["--no-daemon", "update", "ID", "--acceptance-criteria", "When"] },
  { who: "K", words: ["--no-daemon", "label", "remove", "ID", "ui"] },

  // agents by habit, and git hooks
  { who: "A", words: ["ready", "--json"], keys: issues },
  {
    who: "A",
    words: ["create", "A bug", "-t", "bug", "-p", "1", "--deps", "discovered-from:ID", "--json"],
    keys: issue
  },
  { who: "A", words: ["update", "ID", "--status", "in_progress", "--json"], keys: issues },
  { who: "A", words: ["close", "ID", "--reason", "Implemented", "--json"], keys: issues },
  { who: "A", words: ["dep", "tree", "ID"], text: /Dependency tree/ },
  { who: "A", words: ["prime"], text: /./ },
  { who: "A", words: ["list", "--all", "--include-gates", "--limit", "0", "--no-pager", "--json"], keys: counted },
  { who: "A", words: ["list", "--flat", "--json"], keys: counted },
  { who: "A", words: ["create", "-p1", "--type=bug", "--", "--text after the dashes"] },
  { who: "G", words: ["sync", "--flush-only"] },
  { who: "G", words: ["sync", "--import-only"] },
  { who: "G", words: ["export", "-o", "out.jsonl"] },
  { who: "G", words: ["import", "-i", "in.jsonl"] }
]
