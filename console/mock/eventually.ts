const {waitFor} = await import('@testing-library/react');

/** Waits until something holds; assertions of AVA count each time that they fail, so that they cannot be waited for. */
export const eventually = (what: string, holds: () => boolean): Promise<void> =>
  waitFor(() => {
    if (!holds()) throw new Error(`Not yet: ${what}`);
  });
