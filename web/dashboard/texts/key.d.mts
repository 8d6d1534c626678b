export function keyOf(text: string): string;
