"""What machines, accelerators and commitments cost, and who bears what nobody used."""
