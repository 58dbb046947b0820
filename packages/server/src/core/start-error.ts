/** The server cannot start, and the operator can do something about it. The message is one sentence that says what. */
export class StartError extends Error {
  override name = 'StartError'
}
