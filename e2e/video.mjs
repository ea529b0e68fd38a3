// Makes films for a browser's false camera: pictures of codes, as grey Y4M
// (YUV4MPEG2, 4:2:0) that Chromium plays in a loop.
import { writeFile } from "node:fs/promises";

const width = 640;
const height = 480;
const grey = 200; // of the table that the code lies on

// EAN-13 (GS1 General Specifications 5.2): seven modules a digit; the first
// digit says which of the left ones are in set G.
const left = ["0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011"];
const parities = ["LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL"];
const opposite = (bits) => bits.replace(/./g, (b) => (b === "0" ? "1" : "0"));
const reversed = (bits) => [...bits].reverse().join("");

// ean13 gives the bars of thirteen digits as bits, 1 is dark.
export function ean13(digits) {
	const right = (d) => opposite(left[d]);
	const parity = parities[digits[0]];
	const first = [...digits.slice(1, 7)].map((d, i) => (parity[i] === "L" ? left[d] : reversed(right(d))));
	return `101${first.join("")}01010${[...digits.slice(7)].map(right).join("")}101`;
}

// ean8 gives the bars of eight digits.
export function ean8(digits) {
	return `101${[...digits.slice(0, 4)].map((d) => left[d]).join("")}01010${[...digits.slice(4)].map((d) => opposite(left[d])).join("")}101`;
}

// itf14 gives the bars of fourteen digits (ISO/IEC 16390): bars are the first
// digit of a pair, spaces the second; a wide one is three modules.
export function itf14(digits) {
	const wide = ["00110", "10001", "01001", "11000", "00101", "10100", "01100", "00011", "10010", "01010"];
	let bits = "1010";
	for (let i = 0; i < digits.length; i += 2) {
		for (let n = 0; n < 5; n++) bits += (wide[digits[i]][n] === "1" ? "111" : "1") + (wide[digits[i + 1]][n] === "1" ? "000" : "0");
	}
	return `${bits}11101`;
}

function table() {
	return new Uint8Array(width * height).fill(grey);
}

// bars draws a label with bars in the middle of the picture.
export function bars(bits, module = 3) {
	const picture = table();
	const quiet = 11 * module;
	const from = Math.round((width - bits.length * module) / 2);
	for (let y = 120; y < 360; y++) {
		for (let x = from - quiet; x < from + bits.length * module + quiet; x++) {
			const dark = y >= 140 && y < 340 && bits[Math.floor((x - from) / module)] === "1" && x >= from;
			picture[y * width + x] = dark ? 20 : 245;
		}
	}
	return picture;
}

// square puts a square grey picture, such as a QR code, in the middle.
export function square(pixels, side) {
	const picture = table();
	const left = Math.round((width - side) / 2);
	const top = Math.round((height - side) / 2);
	for (let y = 0; y < side; y++) {
		for (let x = 0; x < side; x++) picture[(top + y) * width + left + x] = pixels[y * side + x];
	}
	return picture;
}

// nothing is a picture without a code.
export const nothing = table;

// film writes a picture as a film of a few frames.
export async function film(path, picture) {
	const colour = new Uint8Array((width * height) / 2).fill(128);
	const frame = [Buffer.from("FRAME\n"), picture, colour];
	await writeFile(path, Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F30:1 Ip A1:1 C420jpeg\n`), ...frame, ...frame, ...frame]));
}
