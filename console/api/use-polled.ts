import {useQueryClient} from '@tanstack/react-query';
import {useEffect} from 'react';

type MethodKey = {readonly methodName?: string};

/**
 * Loads answers again every so often, for what changes without an event (progress, children of an operation). Not while the page is hidden,
 * and a request that is under way is waited for.
 */
export function usePolled(
  methods: readonly {readonly name: string}[],
  everyMs: number,
  isOn: boolean,
): void {
  const queryClient = useQueryClient();
  const names = methods.map(({name}) => name).join(' ');
  useEffect(() => {
    if (!isOn) return undefined;
    const wanted = new Set(names.split(' '));
    const timer = setInterval(() => {
      if (document.visibilityState === 'hidden') return;
      void queryClient.invalidateQueries(
        {
          predicate: ({queryKey}) =>
            queryKey[0] === 'connect-query' &&
            wanted.has((queryKey[1] as MethodKey | undefined)?.methodName ?? ''),
        },
        {cancelRefetch: false},
      );
    }, everyMs);
    return () => clearInterval(timer);
  }, [queryClient, names, everyMs, isOn]);
}
