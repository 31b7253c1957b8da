/** Where `bd` was called. A service, so that tests can run in directories of their own. */
import * as Context from "effect/Context"

export class WorkingDirectory extends Context.Tag("effect-beads/cli/WorkingDirectory")<WorkingDirectory, string>() {}
