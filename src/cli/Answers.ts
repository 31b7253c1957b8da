/**
 * What each command answers with `--json`, as JSON Schema (draft 2020-12): `bd COMMAND --help --json` gives it, and the
 * tests hold every answer of the transcripts against it. Loaded for help only.
 *
 * A failure is `failure` with any command. Objects have no other keys than these, but issues: theirs may be unknown here.
 */
import type { CommandName } from "./CommandTable.ts"

/** As much of JSON Schema as is needed here. */
export interface JsonSchema {
  readonly type?: string | ReadonlyArray<string>
  readonly const?: string | boolean
  readonly enum?: ReadonlyArray<string>
  readonly description?: string
  readonly properties?: { readonly [key: string]: JsonSchema }
  readonly required?: ReadonlyArray<string>
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly anyOf?: ReadonlyArray<JsonSchema>
}

type Properties = NonNullable<JsonSchema["properties"]>

const text: JsonSchema = { type: "string" }
const time: JsonSchema = { type: "string", description: "RFC 3339" }
const count: JsonSchema = { type: "integer" }
const number: JsonSchema = { type: "number" }
const truth: JsonSchema = { type: "boolean" }
const yes: JsonSchema = { const: true }

const array = (items: JsonSchema): JsonSchema => ({ type: "array", items })
const texts = array(text)
const oneOf = (...anyOf: ReadonlyArray<JsonSchema>): JsonSchema => ({ anyOf })
const orNull = (schema: JsonSchema): JsonSchema => oneOf(schema, { type: "null" })

/** `required` keys are always there, `optional` ones may be. */
const object = (required: Properties, optional: Properties = {}): JsonSchema => ({
  type: "object",
  properties: { ...required, ...optional },
  required: Object.keys(required),
  additionalProperties: false
})

const comment = object({ id: count, issue_id: text, author: text, text, created_at: time })

const link = object({ issue_id: text, depends_on_id: text, type: text }, { created_at: time, created_by: text })

const issueKeys: Properties = {
  id: text,
  title: text,
  description: text,
  status: text,
  priority: count,
  issue_type: text,
  created_at: time,
  updated_at: time
}

/** An issue, with further keys; those of the issue file that this version does not know come last. */
const issueWith = (required: Properties = {}, optional: Properties = {}): JsonSchema => ({
  ...object(
    { ...issueKeys, ...required },
    {
      design: text,
      acceptance_criteria: text,
      notes: text,
      assignee: text,
      estimated_minutes: number,
      created_by: text,
      closed_at: time,
      close_reason: text,
      external_ref: text,
      labels: texts,
      dependencies: array(link),
      comments: array(comment),
      deleted_at: time,
      deleted_by: text,
      delete_reason: text,
      original_type: text,
      undeleted_at: time,
      renamed_to: text,
      ...optional
    }
  ),
  additionalProperties: true
})

const issue = issueWith()
const issues = array(issue)
const linked = issueWith({ dependency_type: text })

/** A list of issues: whole ones or chosen keys, bare or in the envelope. */
const list = (one: JsonSchema): JsonSchema => {
  const chosen = { ...one, required: [], additionalProperties: false, description: "what --fields or --brief names" }
  const some = array(oneOf(one, chosen))
  return oneOf(some, object({ issues: some, total: count, truncated: truth }))
}

const preview = object({ dry_run: yes, created_count: count, created: issues })

const linkChange = object({ status: text, issue_id: text, depends_on_id: text }, { type: text })
const labelChange = array(object({ status: text, issue_id: text, label: text }))

const renaming = object({ from: text, to: text })

const dangling = object({ issue_id: text, depends_on_id: text }, { type: text })

const event = object(
  { issue_id: text, event_type: text, actor: text, created_at: time },
  { old_value: text, new_value: text, comment: text }
)

const epics = array(object({ epic: issue, total_children: count, closed_children: count, eligible_for_close: truth }))

const statistics: Properties = {
  total_issues: count,
  open_issues: count,
  in_progress_issues: count,
  closed_issues: count,
  blocked_issues: count,
  ready_issues: count,
  epics_eligible_for_closure: count,
  average_lead_time_hours: number
}

const checks = object({
  path: text,
  checks: array(object({ name: text, status: text, message: text }, { detail: text, fix: text })),
  overall_ok: truth,
  cli_version: text
})

const suspects: Properties = {
  polluted_count: count,
  high_confidence: count,
  medium_confidence: count,
  issues: array(object({ id: text, title: text, score: number, reasons: texts, created_at: time }))
}

const pollution = object(suspects, { dry_run: truth, deleted: texts, deleted_count: count })

const checkResult = object({
  issue_count: count,
  fixed_count: count,
  failed: truth,
  error: orNull(text),
  suggestions: texts
})

const validation = object({
  checks: { type: "object", additionalProperties: checkResult },
  total_issues: count,
  total_fixed: count,
  healthy: truth
})

const keyAndValue = object({ key: text, value: text })
const settings: JsonSchema = { type: "object", additionalProperties: text }

const script = object({ shell: text, script: text })

const flushed = object({ mode: text, written: count, removed: count, bytes: count, duration: number })

const group = object({
  title: text,
  issues: array(
    object({ id: text, title: text, status: text, priority: count, references: count, is_merge_target: truth })
  ),
  suggested_target: text,
  suggested_sources: texts,
  suggested_action: text,
  note: text
})

/** A command that is not there yet only fails. */
const never: JsonSchema = { enum: [], description: "not there yet: always the error" }

/** What stands on stdout when a command has failed. */
export const failure: JsonSchema = object({
  error: object({ code: text, message: text }, { hint: text, id: text })
})

export const answers: { readonly [Name in CommandName]: JsonSchema } = {
  init: object({ directory: text, database: text, issue_file: text, prefix: text, issues: count }),
  create: oneOf(issue, array(issue), preview),
  q: issue,
  update: issues,
  claim: issues,
  close: issues,
  reopen: issues,
  assign: issues,
  priority: issues,
  note: issues,
  delete: object(
    { deleted: oneOf(text, texts), dependencies_removed: count, references_updated: count },
    { dry_run: yes, deleted_count: count }
  ),
  undelete: issues,
  show: list(issueWith({}, { dependencies: array(linked), dependents: array(linked) })),
  list: list(issueWith({ dependency_count: count, dependent_count: count })),
  search: list(issueWith({ dependency_count: count, dependent_count: count })),
  count: oneOf(object({ count }), object({ total: count, groups: array(object({ group: text, count })) })),
  ready: list(issue),
  blocked: list(issueWith({ blocked_by_count: count, blocked_by: texts })),
  stale: list(issue),
  stats: object({ ...statistics, summary: object(statistics) }),
  history: array(event),
  log: array(event),
  "epic status": epics,
  "epic close-eligible": epics,
  dep: linkChange,
  "dep add": linkChange,
  link: linkChange,
  "dep remove": linkChange,
  "dep list": array(linked),
  "dep tree": array(issueWith({ depth: count, parent_id: text, truncated: truth })),
  "dep cycles": array(issues),
  graph: object({ roots: texts, issues, dependencies: array(link) }, { output: text, format: text }),
  "label add": labelChange,
  tag: labelChange,
  "label remove": labelChange,
  "label list": texts,
  "label list-all": array(object({ label: text, count })),
  comments: array(comment),
  "comments list": array(comment),
  "comments add": comment,
  comment,
  export: {
    ...oneOf(
      object({ exported: count, output: text, bytes: count }),
      object({ output: text, published: yes, written: count, bytes: count })
    ),
    description: "with --output; without, the issues themselves stand on stdout, one a line"
  },
  import: object({
    dry_run: truth,
    created: count,
    deleted: count,
    updated: count,
    unchanged: count,
    skipped: count,
    pruned: texts,
    dangling: array(dangling),
    renamed: array(renaming),
    prefix_renamed: array(renaming)
  }),
  merge: object({
    issues: count,
    renamed: array(object({ from: text, to: text, title: text })),
    unresolved: array(link)
  }),
  flush: flushed,
  "flush status": object({
    state: { enum: ["clean", "dirty", "failing"] },
    unpublished_count: count,
    full_export_needed: truth,
    last_flush: orNull(object({ at: time, mode: text, written: count, removed: count, bytes: count })),
    last_failure: orNull(object({ at: time, reason: text, message: text })),
    issue_file: object({ path: text, size: orNull(count), content: text }, { problem: text }),
    database_path: text
  }),
  sync: oneOf(flushed, object({ issue_file: text, issues: count })),
  "rename-prefix": object(
    { old_prefix: text, new_prefix: text, issues_count: count, renamed: array(renaming), kept: texts },
    { dry_run: yes }
  ),
  info: oneOf(
    object(
      {
        config: settings,
        daemon_connected: truth,
        daemon_fallback_reason: text,
        database_path: text,
        issue_count: count,
        issue_file: text,
        mode: text,
        tombstone_count: count,
        unpublished_count: count
      },
      {
        schema: object({
          tables: texts,
          schema_version: text,
          config: object({ issue_prefix: text }),
          sample_issue_ids: texts,
          detected_prefix: text
        })
      }
    ),
    object({ current_version: text, recent_changes: array(object({ version: text, changes: texts })) })
  ),
  where: object({ path: text, database_path: text, issue_file: text }, { prefix: text }),
  "dolt show": object({ backend: text, mode: text, embedded: truth, database: text }),
  "config get": keyAndValue,
  "config set": keyAndValue,
  "config list": settings,
  "config unset": object({ key: text }),
  doctor: oneOf(checks, pollution, validation),
  duplicates: object(
    { duplicate_groups: count, groups: array(group) },
    {
      merge_commands: texts,
      merge_results: array(object({ target: text, closed: texts, skipped: array(object({ id: text, reason: text })) }))
    }
  ),
  validate: validation,
  "repair-deps": object({ orphans: array(dangling), orphans_found: count }, { fixed: count }),
  "detect-pollution": pollution,
  migrate: oneOf(
    object({
      status: text,
      current_database: text,
      version: text,
      schema_version: count,
      migrated: truth,
      version_updated: truth,
      cleaned_up: truth
    }),
    object({
      registered_migrations: array(object({ name: text, description: text })),
      current_state: object({
        schema_version: text,
        issue_count: count,
        config: object({ issue_prefix: text }),
        missing_config: texts,
        db_exists: truth
      }),
      warnings: texts,
      invariants_to_check: texts
    })
  ),
  quickstart: object({ text }),
  prime: object(
    { project: truth, text },
    {
      prefix: text,
      issue_file: text,
      stats: object(statistics),
      unpublished_count: count,
      in_progress: issues,
      ready: issues
    }
  ),
  onboard: object({ file: text, content: text }),
  "completion bash": script,
  "completion zsh": script,
  "completion fish": script,
  daemon: never,
  hooks: never,
  resolve: never,
  version: object({ version: text, build: text, commit: text, branch: text, effect_beads: text }),
  help: object({ help: text }, { answer: { type: "object" } })
}

/** The answer of the command of these words, if they name one. */
export const answerOf = (path: ReadonlyArray<string>): JsonSchema | undefined => {
  const name = path.join(" ")
  return Object.hasOwn(answers, name) ? answers[name as CommandName] : undefined
}
