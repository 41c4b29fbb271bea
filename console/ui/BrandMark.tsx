export const BrandMark = ({size = 20}: {readonly size?: number}) => (
  <svg width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" className="brand-mark">
    <path d="M2.5 13V3L8 8.5 13.5 3v10" />
  </svg>
);
