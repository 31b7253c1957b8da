/**
 * Databases as the classic `bd` makes them (reference-bd.md, section 3), with what is not yet in the database file left
 * in its log.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Database from "better-sqlite3"

const schema = `
  create table issues (id text primary key, content_hash text, title text not null check (length(title) <= 500),
    description text not null default '', design text not null default '', acceptance_criteria text not null default '',
    notes text not null default '', status text not null default 'open',
    priority integer not null default 2 check (priority >= 0 and priority <= 4), issue_type text not null default 'task',
    assignee text, estimated_minutes integer, created_at datetime not null default current_timestamp,
    updated_at datetime not null default current_timestamp, closed_at datetime, external_ref text,
    compaction_level integer default 0, compacted_at datetime, compacted_at_commit text, original_size integer,
    source_repo text default '.', check ((status = 'closed') = (closed_at is not null)));
  create table dependencies (issue_id text not null, depends_on_id text not null, type text not null default 'blocks',
    created_at datetime not null default current_timestamp, created_by text not null,
    primary key (issue_id, depends_on_id), foreign key (issue_id) references issues (id) on delete cascade,
    foreign key (depends_on_id) references issues (id) on delete cascade);
  create table labels (issue_id text not null, label text not null, primary key (issue_id, label),
    foreign key (issue_id) references issues (id) on delete cascade);
  create table comments (id integer primary key autoincrement, issue_id text not null, author text not null,
    text text not null, created_at datetime not null default current_timestamp,
    foreign key (issue_id) references issues (id) on delete cascade);
  create table events (id integer primary key autoincrement, issue_id text not null, event_type text not null,
    actor text not null, old_value text, new_value text, comment text, created_at datetime not null default current_timestamp,
    foreign key (issue_id) references issues (id) on delete cascade);
  create table config (key text primary key, value text not null);
  create table metadata (key text primary key, value text not null);
  create table dirty_issues (issue_id text primary key, marked_at datetime not null default current_timestamp,
    content_hash text, foreign key (issue_id) references issues (id) on delete cascade);
  create table export_hashes (issue_id text primary key, content_hash text not null, exported_at datetime);
  create table child_counters (parent_id text primary key, last_child integer not null default 0,
    foreign key (parent_id) references issues (id) on delete cascade);
  create table repo_mtimes (repo_path text primary key, jsonl_path text, mtime_ns integer, last_checked datetime);
  create table blocked_issues_cache (issue_id text primary key);
  create unique index idx_issues_external_ref_unique on issues (external_ref) where external_ref is not null;
  create view ready_issues as select i.* from issues i where i.status = 'open';`

/** Columns that versions up to 0.47 have added. */
const laterColumns = `
  alter table issues add column close_reason text default '';
  alter table issues add column created_by text default '';
  alter table issues add column deleted_at datetime;
  alter table issues add column deleted_by text default '';
  alter table issues add column delete_reason text default '';
  alter table issues add column original_type text default '';
  alter table issues add column ephemeral integer default 0;
  alter table issues add column pinned integer default 0;
  alter table issues add column await_type text;
  alter table issues add column timeout_ns integer default 0;
  alter table issues add column waiters text default '';
  alter table issues add column work_type text default 'mutex';
  alter table issues add column quality_score real;
  alter table issues add column defer_until datetime;`

type Value = string | number | null

export interface ClassicRow {
  readonly id: string
  readonly title?: string
  readonly [column: string]: Value | undefined
}

export interface ClassicContent {
  readonly issues?: ReadonlyArray<ClassicRow>
  readonly labels?: ReadonlyArray<readonly [id: string, label: string]>
  readonly dependencies?: ReadonlyArray<readonly [id: string, dependsOn: string, type: string, at?: string]>
  readonly comments?: ReadonlyArray<readonly [id: string, author: string, text: string, at?: string]>
  readonly dirty?: ReadonlyArray<string>
  readonly prefix?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly childCounters?: Readonly<Record<string, number>>
  readonly events?: ReadonlyArray<readonly [id: string, type: string, actor: string, comment: string]>
}

const insert = (database: Database.Database, table: string, row: Readonly<Record<string, Value | undefined>>) => {
  const entries = Object.entries(row).filter((entry): entry is [string, Value] => entry[1] !== undefined)
  database
    .prepare(`insert into ${table} (${entries.map(([key]) => key)}) values (${entries.map(() => "?")})`)
    .run(entries.map(([, value]) => value))
}

/** Puts the content into an open classic database. */
export const fill = (database: Database.Database, content: ClassicContent): void => {
  for (const row of content.issues ?? []) insert(database, "issues", { title: `Title of ${row.id}`, ...row })
  for (const [issue_id, label] of content.labels ?? []) insert(database, "labels", { issue_id, label })
  for (const [issue_id, depends_on_id, type, created_at] of content.dependencies ?? []) {
    insert(database, "dependencies", { issue_id, depends_on_id, type, created_at, created_by: "alice" })
  }
  for (const [issue_id, author, text, created_at] of content.comments ?? []) {
    insert(database, "comments", { issue_id, author, text, created_at })
  }
  for (const issue_id of content.dirty ?? []) insert(database, "dirty_issues", { issue_id })
  for (const [key, value] of Object.entries(content.metadata ?? {})) insert(database, "metadata", { key, value })
  for (const [parent_id, last_child] of Object.entries(content.childCounters ?? {})) {
    insert(database, "child_counters", { parent_id, last_child })
  }
  for (const [issue_id, event_type, actor, comment] of content.events ?? []) {
    insert(database, "events", { issue_id, event_type, actor, comment })
  }
}

export interface ClassicOptions {
  readonly later?: boolean
  /** What of the schema to take away, for older versions. */
  readonly without?: string
  /** `checkpointed` (default): one file. `log`: content in the log only. `all in log`: the schema too. */
  readonly state?: "checkpointed" | "log" | "all in log"
}

/** Makes a database at the path, with no process connected to it. */
export const makeClassic = (path: string, content: ClassicContent, options: ClassicOptions = {}): void => {
  const scratch = mkdtempSync(join(tmpdir(), "classic-"))
  const made = join(scratch, "made.db")
  const database = new Database(made)
  database.pragma("journal_mode = wal")
  database.pragma("wal_autocheckpoint = 0")
  database.exec(schema)
  if (options.later === true) database.exec(laterColumns)
  if (options.without !== undefined) database.exec(options.without)
  insert(database, "config", { key: "issue_prefix", value: content.prefix ?? "bd" })
  if (options.state === "log") database.pragma("wal_checkpoint(truncate)")
  fill(database, content)
  if (options.state === undefined || options.state === "checkpointed") database.close()
  // as a killed process leaves them: the log is not moved into the database
  copyFileSync(made, path)
  if (existsSync(`${made}-wal`)) copyFileSync(`${made}-wal`, `${path}-wal`)
  database.close()
  rmSync(scratch, { recursive: true })
}
