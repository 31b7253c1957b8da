/** The first schema. A row is a line; every other column and table is derived from it, but marks, versions and events. */
export default [
  `create table issues (
    id text primary key,
    line text not null,
    revision integer not null,
    title text not null,
    status text not null,
    priority integer not null,
    issue_type text not null,
    assignee text not null,
    external_ref text not null,
    created_at text not null,
    updated_at text not null
  )`,
  `create index issues_by_priority on issues (priority, created_at desc)`,
  `create index issues_by_status on issues (status)`,
  // no foreign key on depends_on_id: a dependency may dangle (G25)
  `create table dependencies (
    issue_id text not null references issues (id) on delete cascade,
    depends_on_id text not null,
    type text not null,
    primary key (issue_id, depends_on_id, type)
  ) without rowid`,
  `create index dependencies_by_target on dependencies (depends_on_id)`,
  `create table labels (
    issue_id text not null references issues (id) on delete cascade,
    label text not null,
    primary key (issue_id, label)
  ) without rowid`,
  `create index labels_by_label on labels (label)`,
  `create table dirty_issues (
    issue_id text primary key references issues (id) on delete cascade,
    revision integer not null,
    base text
  ) without rowid`,
  `create table issue_versions (
    seq integer primary key,
    issue_id text not null references issues (id) on delete cascade,
    hash text not null,
    line text not null,
    unique (issue_id, hash)
  )`,
  `create table version_parents (
    issue_id text not null references issues (id) on delete cascade,
    hash text not null,
    parent text not null,
    primary key (issue_id, hash, parent)
  ) without rowid`,
  // no foreign key: the trail of an issue outlives its row
  `create table events (
    id integer primary key,
    issue_id text not null,
    event_type text not null,
    actor text not null,
    old_value text,
    new_value text,
    comment text,
    created_at text not null
  )`,
  `create index events_by_issue on events (issue_id)`,
  `create table file_record (
    one integer primary key check (one = 1),
    hash text not null,
    size integer not null,
    stamp text not null,
    settled integer not null
  )`,
  `create table child_counters (
    parent_id text primary key,
    last_child integer not null
  ) without rowid`,
  `create table metadata (key text primary key, value text not null) without rowid`
]
