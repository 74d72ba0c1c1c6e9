// The lines where z is 1/count, 2/count, ...: where each level crosses the sides of a grid's cell,
// joined (marching squares).
export function contours(z, columns, rows, count, path, sx, sy) {
  for (let j = 0; j < rows - 1; j += 1) {
    for (let i = 0; i < columns - 1; i += 1) {
      const k = j * columns + i;
      const [p, q, r, s] = [z[k], z[k + 1], z[k + columns + 1], z[k + columns]];
      const top = Math.max(p, q, r, s) * count;
      for (let n = Math.floor(Math.min(p, q, r, s) * count) + 1; n < top; n += 1) {
        const level = n / count;
        const ends = [];
        if (p > level !== q > level) ends.push([i + (level - p) / (q - p), j]);
        if (q > level !== r > level) ends.push([i + 1, j + (level - q) / (r - q)]);
        if (r > level !== s > level) ends.push([i + (level - s) / (r - s), j + 1]);
        if (s > level !== p > level) ends.push([i, j + (level - p) / (s - p)]);
        for (let e = 0; e < ends.length; e += 2) {
          path.moveTo(ends[e][0] * sx, ends[e][1] * sy);
          path.lineTo(ends[e + 1][0] * sx, ends[e + 1][1] * sy);
        }
      }
    }
  }
}
