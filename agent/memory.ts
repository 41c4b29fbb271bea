/**
 * Gives back what the start and the inventory needed and the agent needs no more: a third of the heap, functions that ran once among it. A process that
 * does so little would not get round to it for hours. Only with `--expose-gc`, as images start the agent.
 */
export function releaseMemory(): void {
  globalThis.gc?.({type: 'major', execution: 'sync', flavor: 'last-resort'});
}
