// What is shown is in the address of the page, by name; by row where no name tells it apart.

export function current() {
  const asked = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(asked);
}

// The address that also shows this: `row` and `withRow` name rows that no text names.
export function linkTo(parts) {
  const kept = Object.entries(parts).filter(([, value]) => value !== undefined && value !== "");
  return `#${new URLSearchParams(kept)}`;
}

export const main = ({ address, row }) => (address === null ? { row } : { of: address });
export const second = ({ address, row }) =>
  (address === null ? { withRow: row } : { with: address });
