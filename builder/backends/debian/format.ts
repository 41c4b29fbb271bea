/** Raise when the same inputs give another image than before: what is cached and what was built is then made anew. */
export const formatVersion = 1;

/** Every file in every image carries this time (2025-01-01T00:00:00Z; https://reproducible-builds.org/specs/source-date-epoch). */
export const sourceDateEpoch = 1_735_689_600;

/** zstd level of initrd segments: node takes 1.5 s at 9 (35 MB), 0.4 s at 3 (39 MB) and 74 s at 19 (34 MB). */
export const segmentLevel = 9;

/** zstd level of squashfs layers. */
export const squashfsLevel = 9;
