import createCode from 'qrcode-generator';

const quietModules = 4;

/** Drawn as one path, so that it prints sharp at any size. */
export function QrCode({text, label}: {readonly text: string; readonly label: string}) {
  const code = createCode(0, 'M');
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  const size = count + 2 * quietModules;
  const dark = Array.from({length: count * count}, (_, at) => [Math.floor(at / count), at % count])
    .filter(([row = 0, column = 0]) => code.isDark(row, column))
    .map(([row = 0, column = 0]) => `M${column + quietModules} ${row + quietModules}h1v1h-1z`)
    .join('');
  return (
    <svg className="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}>
      <rect width={size} height={size} fill="#fff" />
      <path d={dark} fill="#000" shapeRendering="crispEdges" />
    </svg>
  );
}
