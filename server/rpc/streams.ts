/**
 * The same stream for one caller. What fails after the caller has gone, a query of a pool that closes for instance, is nobody's concern any
 * more, and nobody would hear of it.
 */
export async function* whileCalled<T>(
  signal: AbortSignal,
  source: AsyncIterable<T>,
): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
