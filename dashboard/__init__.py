"""The dashboard: reads the warehouse and shows it. Inside: data → analysis → charts → pages."""
