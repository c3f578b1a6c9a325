// Folders of one user: how they are made, known and removed. For the program, its workers and the plugin alike.
export { removeDeadDrafts, toDraftName } from './folders/drafts.ts'
export { hasCode, openFolder, removePrivateFolder } from './folders/private.ts'
export { createTemporaryFolder, temporaryBase } from './folders/temporary.ts'
export type { TemporaryFolder } from './folders/temporary.ts'
