/** What `bd` is on the command line: loads the program and runs it, in this process. Bundled as `dist/bin/bd.cjs`. */
import * as Bundle from "./Bundle.ts"

declare const __BUNDLE_HASH__: string

Bundle.load(Bundle.locate(__dirname, __BUNDLE_HASH__)).run(require)
