import {useCallback, useSyncExternalStore} from 'react';

export function useMediaQuery(query: string): boolean {
  const subscribe = useCallback(
    (reader: () => void) => {
      const list = globalThis.matchMedia(query);
      list.addEventListener('change', reader);
      return () => list.removeEventListener('change', reader);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => globalThis.matchMedia(query).matches);
}
