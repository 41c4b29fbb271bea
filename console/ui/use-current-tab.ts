import {useLocation} from '@tanstack/react-router';
import {type RefObject, useEffect, useRef} from 'react';

/** Where tabs are wider than a phone, the one that is shown is in sight. */
export function useCurrentTab(): RefObject<HTMLElement | null> {
  const nav = useRef<HTMLElement>(null);
  const address = useLocation({select: ({href}) => href});
  useEffect(() => {
    const current = nav.current?.querySelector<HTMLElement>('[aria-current="page"]');
    if (!nav.current || !current) return;
    // Not scrollIntoView(): the page itself stays where it is.
    const {offsetLeft, offsetWidth} = current;
    const left = offsetLeft - nav.current.offsetLeft;
    const {scrollLeft, clientWidth} = nav.current;
    if (left < scrollLeft) nav.current.scrollLeft = left;
    else if (left + offsetWidth > scrollLeft + clientWidth)
      nav.current.scrollLeft = left + offsetWidth - clientWidth;
  }, [address]);
  return nav;
}
