"""oref0 itself, npm's package in Node.js, behind the rig's adapter; needs Node.js and npm."""
